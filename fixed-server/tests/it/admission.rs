//! Token quotas, readiness.

use std::time::{Duration, Instant};

use mock_llm::MockLlm;
use serde_json::json;

use crate::server::{STREAM, Server};

const NEVER: Duration = Duration::from_secs(600);

/// The next call can use what the last one reserved and did not use. A rejected call reserves nothing.
#[tokio::test]
async fn unused_tokens_of_a_reservation_are_refunded() {
    let mock = MockLlm::builder().tokens(5).ttft(Duration::ZERO).inter_token(Duration::ZERO).start().await.unwrap();
    let flags = ["--token-limit", "4000/1h", "--token-burst", "1000", "--queue-timeout", "1s"];
    let server = Server::start(&mock.url(), &flags).await;
    for path in [STREAM, "/llm", "/v1/chat/completions"] {
        let body = json!({ "model": "m", "max_tokens": 900, "messages": [{ "role": "user", "content": "hi" }] });
        for round in 0..4 {
            let answer = server.post(path).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}, round {round}: 900 were reserved, some 10 used");
            answer.text().await.unwrap();
        }
    }
    let body = json!({ "max_tokens": 2000, "messages": [{ "role": "user", "content": "hi" }] });
    let refused = server.post("/llm").json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("\"param\":\"max_tokens\""));
}

#[tokio::test]
async fn ready_fails_while_the_queue_is_nearly_full() {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--max-in-flight", "1", "--max-queued", "10"]).await;
    let running = server.stream().await;
    let mut waiting = Vec::new();
    for queued in 1..=9 {
        waiting.push(tokio::spawn(server.post(STREAM).send()));
        server.until("llm_queue_length", f64::from(queued)).await;
        assert_eq!(server.ready().await, if queued > 8 { 503 } else { 200 }, "{queued} of 10");
    }
    for left in (0..=8).rev() {
        waiting.pop().unwrap().abort();
        server.until("llm_queue_length", f64::from(left)).await;
        assert_eq!(server.ready().await, if left >= 5 { 503 } else { 200 }, "{left} of 10");
    }
    drop(running);
}

#[tokio::test]
async fn ready_depends_on_the_vendor_only_if_configured() {
    let mock = MockLlm::builder().fault("status=503").start().await.unwrap();
    let configured = Server::start(&mock.url(), &["--ready-on-error-rate", "0.5", "--attempts", "1"]).await;
    let local = Server::start(&mock.url(), &["--attempts", "1"]).await;
    for _ in 0..10 {
        configured.post("/llm").send().await.unwrap();
        local.post("/llm").send().await.unwrap();
    }
    assert_eq!((configured.ready().await, local.ready().await), (503, 200));
}

/// Calls that the breaker rejects have not reached the vendor and are not its failures. If they counted, the server would
/// stay unready for as long as it rejects calls.
#[tokio::test]
async fn calls_rejected_by_the_breaker_do_not_count_for_ready() {
    let mock = MockLlm::builder().fault("status=503").start().await.unwrap();
    let flags = ["--ready-on-error-rate", "0.5", "--attempts", "1", "--breaker-failures", "10"];
    let server = Server::start(&mock.url(), &[&flags[..], &["--breaker-open-time", "1h"]].concat()).await;
    for _ in 0..10 {
        server.post("/llm").send().await.unwrap();
    }
    assert_eq!((server.ready().await, mock.ledger().started), (503, 10));
    // Longer than the 10 s over which failures are counted.
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.ready().await != 200 {
        assert!(Instant::now() < deadline, "it is not ready for as long as the breaker is open");
        assert_eq!(server.post("/llm").send().await.unwrap().status(), 502);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(mock.ledger().started, 10);
}
