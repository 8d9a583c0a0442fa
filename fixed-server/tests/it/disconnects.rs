//! Clients that disconnect while they wait. What a disconnect frees is in `conformance`.

use std::time::Duration;

use mock_llm::MockLlm;

use crate::server::{STREAM, Server};

const NEVER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_disconnect_in_the_queue_is_counted_as_499() {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--max-in-flight", "1"]).await;
    let running = server.stream().await;
    let waiting = tokio::spawn(server.post(STREAM).send());
    server.until("llm_queue_length", 1.0).await;
    waiting.abort();
    server.until_outcomes("disconnected", 1.0).await;
    server.until("llm_queue_length", 0.0).await;
    assert_eq!(mock.ledger().started, 1);
    // It was never answered, and is still counted.
    server.until("http_requests_total{route=\"/chat/stream\",status=\"499\"", 1.0).await;
    drop(running);
}

#[tokio::test]
async fn a_disconnect_while_waiting_for_the_rate_spends_none_of_it() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--rate-limit", "1/2s"]).await;
    assert_eq!(server.post("/llm").send().await.unwrap().status(), 200);
    let waiting = tokio::spawn(server.post("/llm").send());
    server.until("llm_queue_length", 1.0).await;
    waiting.abort();
    server.until_outcomes("disconnected", 1.0).await;
    server.until("llm_queue_length", 0.0).await;
    assert_eq!(mock.ledger().started, 1);
    // Otherwise two more would not fit into the queue timeout of 5 s: a call takes 2.1 s of the rate.
    for _ in 0..2 {
        assert_eq!(server.post("/llm").send().await.unwrap().status(), 200);
    }
    assert_eq!(mock.ledger().started, 3);
}
