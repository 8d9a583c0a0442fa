//! What is tried again, when, and how often.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;

use crate::server::{STREAM, Server, eventually};

const NEVER: Duration = Duration::from_secs(600);

/// Jitter comes on top of what the vendor asked for, so nobody is back before it.
#[tokio::test]
async fn nobody_comes_back_before_the_vendor_said() {
    let mock = MockLlm::builder().tokens(2).fault("status=429;retry-after=1;first=4").start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let answers = join_all((0..4).map(|_| server.post(STREAM).send())).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    let starts = mock.ledger().starts;
    assert_eq!(starts.len(), 8);
    let (first, again) = (starts[3], starts[4]);
    assert!(again - starts[0] >= 990.0 && again > first, "{starts:?}");
}

/// Where the wait would leave no room for the attempt, it is not made, and not waited for.
#[tokio::test]
async fn no_attempt_is_made_that_the_deadline_leaves_no_room_for() {
    let mock = MockLlm::builder().fault("status=503;retry-after=2").start().await.unwrap();
    let flags = ["--sla", "2s", "--call-timeout", "1s", "--queue-timeout", "500ms"];
    let server = Server::start(&mock.url(), &flags).await;
    let asked = Instant::now();
    assert_eq!(server.post(STREAM).send().await.unwrap().status(), 502);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(mock.ledger().started, 1);
}

#[tokio::test]
async fn attempts_that_each_take_long_end_with_the_sla() {
    let mock = MockLlm::builder().ttft(NEVER).start().await.unwrap();
    let flags = ["--sla", "1500ms", "--first-token-timeout", "1s", "--call-timeout", "1s", "--queue-timeout", "500ms"];
    let server = Server::start(&mock.url(), &[&flags[..], &["--attempts", "10"]].concat()).await;
    let asked = Instant::now();
    let answer = server.post(STREAM).send().await.unwrap();
    // The second attempt is cut at the deadline; or the wait before it was drawn too long for one.
    let status = answer.status().as_u16();
    assert!(status == 504 || status == 502, "{status}");
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    eventually("the vendor's calls end", || mock.ledger().active == 0).await;
    assert!(mock.ledger().started <= 2, "{:?}", mock.ledger());
}

/// Three attempts a request would be three times the load in an outage. Of so many requests at once
/// each may be retried in no more than the share, and what the reserve gives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_met_with_little_more_than_the_load() {
    const REQUESTS: u64 = 200;
    let mock = MockLlm::builder().fault("status=503").start().await.unwrap();
    let server = Server::start(&mock.url(), &["--retry-budget", "20", "--retry-reserve", "1"]).await;
    join_all((0..REQUESTS).map(|_| server.post("/llm").send())).await;
    let (started, allowed) = (mock.ledger().started, REQUESTS + REQUESTS / 5 + 10);
    assert!(started <= allowed, "{started} attempts, {allowed} allowed");
    let (made, refused) = (server.metric("llm_retries_total").await, server.metric("llm_retries_refused_total").await);
    assert_eq!(made, (started - REQUESTS) as f64);
    assert!(made >= 20.0 && refused > 0.0, "{made} made, {refused} refused: this test has no teeth");
}

/// While one request sleeps before its retry, another has the one permit.
#[tokio::test]
async fn nothing_is_held_between_two_attempts() {
    let mock = MockLlm::builder().tokens(2).fault("status=429;retry-after=3;first=1").start().await.unwrap();
    let server = Server::start(&mock.url(), &["--max-in-flight", "1"]).await;
    let sleeping = tokio::spawn(server.post("/llm").send());
    server.until("llm_retries_total", 1.0).await;
    assert_eq!(server.metric("llm_concurrent_calls").await, 0.0);
    let asked = Instant::now();
    assert_eq!(server.post("/llm").send().await.unwrap().status(), 200);
    assert!(!sleeping.is_finished(), "{:?}", asked.elapsed());
    assert_eq!(sleeping.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_breaker_answers_at_once_and_lets_one_call_ask() {
    let mock = MockLlm::builder().tokens(2).fault("status=503;first=3").start().await.unwrap();
    let flags = ["--breaker-failures", "3", "--breaker-open-time", "1s", "--attempts", "1"];
    let server = Server::start(&mock.url(), &flags).await;
    for _ in 0..3 {
        assert_eq!(server.post("/llm").send().await.unwrap().status(), 502);
    }
    let open = server.post("/llm").send().await.unwrap();
    assert_eq!((open.status().as_u16(), open.headers().contains_key("retry-after")), (502, true));
    assert!(open.text().await.unwrap().contains("\"code\":\"breaker_open\""));
    assert_eq!(mock.ledger().started, 3, "it was not asked");
    eventually_ok(&server).await;
    assert_eq!(mock.ledger().started, 4);
}

async fn eventually_ok(server: &Server) {
    let deadline = Instant::now() + crate::server::BOUND;
    while server.post("/llm").send().await.unwrap().status() != 200 {
        assert!(Instant::now() < deadline, "the breaker does not close");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
