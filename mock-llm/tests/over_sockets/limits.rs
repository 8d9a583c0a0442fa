//! Quotas reject requests; slots let them wait.

use std::time::Duration;

use mock_llm::{MockLlm, MockLlmBuilder, Profile};
use serde_json::json;

use crate::client::{body, post, until};

const HOUR: Duration = Duration::from_secs(3_600);

fn instant() -> MockLlmBuilder {
    MockLlm::builder().tokens(9).ttft(Duration::ZERO).inter_token(Duration::ZERO)
}

#[tokio::test]
async fn requests_over_the_quota_get_429_with_its_headers() {
    let mock = instant().quota_requests(2, HOUR).start().await.unwrap();
    for remaining in ["1", "0"] {
        let seen = post(&mock, &[], &body(true)).await.finish().await;
        assert_eq!((seen.status, seen.header("x-ratelimit-limit-requests")), (Some(200), Some("2")));
        assert_eq!(seen.header("x-ratelimit-remaining-requests"), Some(remaining));
    }
    let rejected = post(&mock, &[], &body(true)).await.finish().await;
    assert_eq!(rejected.status, Some(429));
    assert_eq!(rejected.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(rejected.json()["error"]["type"], "requests");
    let wait: u64 = rejected.header("retry-after").unwrap().parse().unwrap();
    assert!((3_590..=3_600).contains(&wait), "{wait}");
    assert_eq!(rejected.header("x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(rejected.header("x-ratelimit-limit-tokens"), None, "no such quota is set");

    let ledger = mock.ledger();
    assert_eq!((ledger.started, ledger.refused, ledger.refusals.len()), (2, 1, 1));
    assert_eq!(json!(ledger.requests_by_status), json!({"200": 2, "429": 1}));
}

#[tokio::test]
async fn the_token_quota_counts_prompt_and_answer() {
    // A prompt of 1 token and an answer of 9.
    let mock = instant().quota_tokens(25, HOUR).start().await.unwrap();
    for (status, remaining) in [(200, "15"), (200, "5"), (429, "5")] {
        let seen = post(&mock, &[], &body(false)).await.finish().await;
        assert_eq!(seen.status, Some(status));
        assert_eq!(seen.header("x-ratelimit-remaining-tokens"), Some(remaining));
    }
    let mut short = body(false);
    short["max_tokens"] = json!(4);
    assert_eq!(post(&mock, &[], &short).await.finish().await.status, Some(200), "it fits");
    let never = post(&mock, &[("x-mock-tokens", "25")], &body(false)).await.finish().await;
    assert_eq!((never.status, never.header("retry-after")), (Some(429), None), "waiting would not help");
}

#[tokio::test]
async fn a_quota_is_free_again_after_retry_after() {
    let interval = Duration::from_millis(300);
    let mock = instant().quota_requests(1, interval).start().await.unwrap();
    assert_eq!(post(&mock, &[], &body(true)).await.finish().await.status, Some(200));
    let rejected = post(&mock, &[], &body(true)).await.finish().await;
    let wait: u64 = rejected.header("retry-after-ms").unwrap().parse().unwrap();
    assert!(wait <= 300, "{wait}");
    tokio::time::sleep(Duration::from_millis(wait)).await;
    assert_eq!(post(&mock, &[], &body(true)).await.finish().await.status, Some(200));
}

#[tokio::test]
async fn requests_over_the_in_flight_quota_get_429() {
    let mock = instant().quota_in_flight(1).start().await.unwrap();
    let hung = post(&mock, &[("x-mock-fault", "hang")], &body(true)).await;
    until(&mock, |ledger| ledger.active == 1).await;
    let rejected = post(&mock, &[], &body(true)).await.finish().await;
    assert_eq!((rejected.status, rejected.header("retry-after")), (Some(429), Some("1")));
    drop(hung);
    until(&mock, |ledger| ledger.active == 0).await;
    assert_eq!(post(&mock, &[], &body(true)).await.finish().await.status, Some(200));
}

#[tokio::test]
async fn requests_without_a_slot_wait_and_may_disconnect() {
    let mock = instant().slots(1).start().await.unwrap();
    let first = post(&mock, &[("x-mock-ttft", "1h")], &body(true)).await;
    until(&mock, |ledger| ledger.active == 1).await;
    let second = post(&mock, &[], &body(true)).await;
    until(&mock, |ledger| ledger.waiting == 1).await;
    let third = post(&mock, &[], &body(true)).await;
    let full = until(&mock, |ledger| ledger.waiting == 2).await;
    assert_eq!((full.active, full.tokens_sent), (3, 0));

    drop(second);
    let waiting = until(&mock, |ledger| ledger.waiting == 1).await;
    assert_eq!((waiting.active, waiting.cancelled), (2, 1));
    drop(first);
    assert!(third.finish().await.is_done());
    let ledger = until(&mock, |ledger| ledger.active == 0).await;
    assert_eq!((ledger.completed, ledger.cancelled, ledger.waiting), (1, 2, 0));
}

#[tokio::test]
async fn slots_limit_active_answers_and_all_complete() {
    let mock = instant().inter_token(Duration::from_millis(1)).slots(3).start().await.unwrap();
    let mut calls = Vec::new();
    for _ in 0..20 {
        calls.push(post(&mock, &[], &body(true)).await);
    }
    let watch = async {
        loop {
            let ledger = mock.ledger();
            assert!(ledger.active - ledger.waiting <= 3, "{ledger:?}");
            if ledger.completed == 20 {
                return ledger;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let read = async {
        for call in calls {
            assert!(call.finish().await.is_done());
        }
    };
    let (ledger, ()) = tokio::join!(watch, read);
    assert!(ledger.peak_active > 3, "some had to wait: {ledger:?}");
}

#[tokio::test]
async fn the_third_call_of_the_rapid_sequence_gets_429() {
    let mock = MockLlm::builder().profile(Profile::RapidSequence).start().await.unwrap();
    let mut statuses = Vec::new();
    for (prompt, answer) in [(664, 2), (2_280, 55), (3_737, 321)] {
        let mut body = body(false);
        body["messages"][0]["content"] = json!("word".repeat(prompt));
        body["max_tokens"] = json!(answer);
        statuses.push(post(&mock, &[], &body).await.finish().await.status.unwrap());
    }
    assert_eq!(statuses, [200, 200, 429]);
}
