//! The same seed and the same order of requests give the same answers and faults.

use std::time::Duration;

use mock_llm::MockLlm;
use serde_json::Value;

use crate::client::{body, post, send};

async fn mock(seed: u64) -> MockLlm {
    let instant = MockLlm::builder().tokens(3).ttft(Duration::ZERO).inter_token(Duration::ZERO);
    instant.fault("status=503;rate=0.5").fault("error-event-after=1;rate=0.3").seed(seed).start().await.unwrap()
}

/// Status, id and text of twenty answers in a row.
async fn answers(mock: &MockLlm) -> Vec<(Option<u16>, Value, Value)> {
    let mut answers = Vec::new();
    for _ in 0..20 {
        let seen = post(mock, &[], &body(false)).await.finish().await;
        let answer = seen.json();
        answers.push((seen.status, answer["id"].clone(), answer["choices"][0]["message"]["content"].clone()));
    }
    answers
}

#[tokio::test]
async fn two_vendors_with_the_same_seed_answer_the_same() {
    let (one, same, other) =
        (answers(&mock(7).await).await, answers(&mock(7).await).await, answers(&mock(8).await).await);
    assert_eq!(one, same);
    assert_ne!(one, other);
    for status in [200, 500, 503] {
        assert!(one.iter().any(|answer| answer.0 == Some(status)), "no {status} in {one:?}");
    }
}

#[tokio::test]
async fn a_reset_restarts_the_random_numbers() {
    let mock = mock(7).await;
    let first = answers(&mock).await;
    send(&mock, "POST", "/debug/reset", &[], "").await.finish().await;
    assert_eq!(answers(&mock).await, first);
}

#[tokio::test]
async fn other_routes_do_not_change_the_random_numbers() {
    let (plain, watched) = (mock(7).await, mock(7).await);
    for path in ["/health", "/debug/stats", "/metrics", "/v1/models"] {
        send(&watched, "GET", path, &[], "").await.finish().await;
    }
    assert_eq!(answers(&plain).await, answers(&watched).await);
}
