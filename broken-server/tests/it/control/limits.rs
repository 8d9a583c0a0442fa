//! Limits on how much runs at once, and how long for.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{NEVER, STREAM, WHOLE};
use crate::support::{TestServer, error_type, unreachable_vendor, until, vendor};

const GAP: Duration = Duration::from_millis(20);

/// The permit is held to the end of the stream, and the workers share one number of them.
#[tokio::test]
async fn the_vendor_never_sees_more_than_the_limit() {
    let mock = vendor(5, GAP, GAP).await;
    let server = TestServer::start("none", &mock.url(), &["--max-in-flight", "3", "--workers", "2"]);
    let client = server.client();
    let request = async |path| {
        let answer = client.post(path, false).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    let paths = [STREAM, WHOLE, STREAM];
    let answers = join_all((0..15).map(|number| request(paths[number % paths.len()]))).await;
    assert!(answers.iter().all(|text| text.ends_with("data: [DONE]\n\n") || text.starts_with('{')), "{answers:?}");
    let ledger = mock.ledger();
    assert_eq!((ledger.peak_active, ledger.completed), (3, 15), "{ledger:?}");
    client.until_metric("llm_concurrent_calls", 0.0).await;
    assert_eq!(client.outcomes("success").await, 15.0);
    assert!(client.metric("llm_semaphore_wait_seconds_sum").await > 0.0, "twelve of them waited");
    assert_eq!(client.metric("llm_rate_limit_wait_seconds_count").await, 15.0);
    assert_eq!(client.metric("llm_rate_limit_wait_seconds_sum").await, 0.0, "there is no rate");
}

#[tokio::test]
async fn a_full_queue_and_a_wait_in_vain_are_told_apart() {
    let mock = vendor(2, Duration::ZERO, NEVER).await;
    let flags = ["--max-in-flight", "1", "--max-queued", "1", "--queue-timeout", "500ms"];
    let server = TestServer::start("none", &mock.url(), &flags);
    let client = server.client();
    let running = client.open_stream().await;
    let waiting = tokio::spawn(client.chat().send());
    client.until_metric("llm_queue_length", 1.0).await;

    for path in [STREAM, WHOLE] {
        let refused = client.post(path, false).send().await.unwrap();
        assert_eq!(refused.status(), 429);
        assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
        assert_eq!(error_type(refused).await, "overloaded");
    }
    assert_eq!(client.ready().await, 503);

    let in_vain = waiting.await.unwrap().unwrap();
    assert_eq!((in_vain.status().as_u16(), error_type(in_vain).await.as_str()), (504, "queue_timeout"));
    assert_eq!(client.metric("llm_queue_timeout_total").await, 1.0);
    assert_eq!((client.ready().await, mock.ledger().started), (200, 1));
    drop(running);
}

#[tokio::test]
async fn ready_says_no_while_the_queue_is_nearly_full_and_yes_when_it_is_half_empty() {
    let mock = vendor(2, Duration::ZERO, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &["--max-in-flight", "1", "--max-queued", "10"]);
    let client = server.client();
    let running = client.open_stream().await;
    let mut waiting = Vec::new();
    for queued in 1..=9 {
        waiting.push(tokio::spawn(client.chat().send()));
        client.until_metric("llm_queue_length", f64::from(queued)).await;
        assert_eq!(client.ready().await, if queued > 8 { 503 } else { 200 }, "{queued} of 10");
    }
    for left in (0..=8).rev() {
        waiting.pop().unwrap().abort();
        client.until_metric("llm_queue_length", f64::from(left)).await;
        assert_eq!(client.ready().await, if left >= 5 { 503 } else { 200 }, "{left} of 10");
    }
    drop(running);
}

/// The limit of a stream is that for its first token, of a whole answer that for the call.
#[tokio::test]
async fn each_call_has_its_own_limit_and_the_sla_is_over_all_attempts() {
    let mock = vendor(2, NEVER, GAP).await;
    let times = ["--first-token-timeout", "700ms", "--call-timeout", "300ms", "--queue-timeout", "100ms"];
    let server = TestServer::start("none", &mock.url(), &[&times[..], &["--attempts", "1"]].concat());
    let client = server.client();
    for (path, limit) in [(STREAM, 690), (WHOLE, 290)] {
        let asked = Instant::now();
        let answer = client.post(path, false).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (502, "upstream_failure"), "{path}");
        assert!(asked.elapsed() >= Duration::from_millis(limit), "{path}: {:?}", asked.elapsed());
    }
    assert_eq!(client.outcomes("call_timeout").await, 2.0);
    assert_eq!(client.metric("llm_call_timeout_total").await, 2.0);

    let times = ["--first-token-timeout", "30s", "--call-timeout", "500ms", "--queue-timeout", "100ms"];
    let server = TestServer::start("none", &mock.url(), &[&times[..], &["--sla", "600ms"]].concat());
    let client = server.client();
    let answer = client.chat().send().await.unwrap();
    assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (504, "sla_timeout"));
    assert_eq!(client.outcomes("sla_timeout").await, 1.0);
    until("the ends of the calls", async || mock.ledger().active == 0).await;
}

/// As many in a row as would fill it, were each to keep its permit.
#[tokio::test]
async fn the_list_of_models_takes_no_permit() {
    let mock = vendor(2, Duration::ZERO, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &["--max-in-flight", "1", "--max-queued", "0"]);
    let client = server.client();
    let running = client.open_stream().await;
    let asked = client.request(reqwest::Method::GET, "/v1/models").bearer_auth("demo-key");
    assert_eq!(asked.send().await.unwrap().status(), 200);
    assert_eq!((client.ended().await, client.chat().send().await.unwrap().status().as_u16()), (0.0, 429));
    drop(running);
}

/// The other mistakes call the vendor as often as they are asked, once for each request.
#[tokio::test]
async fn a_mistake_without_limits_makes_one_attempt() {
    let nobody = unreachable_vendor().await;
    for mistake in ["pool-exhaustion", "pool-per-chunk", "rollout", "coordinated-omission", "orphaned-streams"] {
        let server = TestServer::start(mistake, &nobody, &[]);
        let client = server.client();
        assert_eq!(client.chat().send().await.unwrap().status(), 502, "{mistake}");
        assert_eq!(client.outcomes("upstream_failure").await, 1.0, "{mistake}");
        for untouched in ["llm_retries_total", "llm_semaphore_wait_seconds_count", "llm_queue_length"] {
            assert_eq!(client.metric(untouched).await, 0.0, "{mistake}: {untouched}");
        }
    }
}

/// Each that asked for itself would take a thread of the pool that it asks about.
#[tokio::test]
async fn many_who_ask_for_health_at_once_share_one_probe_of_the_pool() {
    const ASKED: usize = 200;
    let server = TestServer::start("none", &unreachable_vendor().await, &[]);
    let client = server.client();
    let answers = join_all((0..ASKED).map(|_| client.get("/health"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
    let probes = client.metric("blocking_pool_queue_wait_seconds_count").await;
    assert!(probes >= 1.0 && probes < ASKED as f64 / 4.0, "{probes} probes for {ASKED} who asked");
}
