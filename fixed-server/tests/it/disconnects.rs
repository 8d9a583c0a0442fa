//! Clients that leave, at each stage.

use std::time::Duration;

use mock_llm::MockLlm;

use crate::server::{STREAM, Server, eventually};

const NEVER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn leaving_the_queue_gives_the_place_back_and_reaches_no_vendor() {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--max-in-flight", "1"]).await;
    let running = server.stream().await;
    let waiting = tokio::spawn(server.post(STREAM).send());
    server.until("llm_queue_length", 1.0).await;
    waiting.abort();
    server.until_outcomes("disconnected", 1.0).await;
    server.until("llm_queue_length", 0.0).await;
    assert_eq!(mock.ledger().started, 1);
    // It was never answered, and is counted nevertheless.
    server.until("http_requests_total{route=\"/chat/stream\",status=\"499\"", 1.0).await;
    drop(running);
}

/// Whoever leaves while waiting for the rate has spent none of it.
#[tokio::test]
async fn leaving_while_waiting_for_the_rate_leaves_it_to_others() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--rate-limit", "1/2s"]).await;
    assert_eq!(server.post("/llm").send().await.unwrap().status(), 200);
    let waiting = tokio::spawn(server.post("/llm").send());
    server.until("llm_queue_length", 1.0).await;
    waiting.abort();
    server.until_outcomes("disconnected", 1.0).await;
    server.until("llm_queue_length", 0.0).await;
    assert_eq!(mock.ledger().started, 1);
    // Had it been spent, there would be room for no other within the queue timeout of 5 s: 2.1 s a call.
    for _ in 0..2 {
        assert_eq!(server.post("/llm").send().await.unwrap().status(), 200);
    }
    assert_eq!(mock.ledger().started, 3);
}

#[tokio::test]
async fn leaving_between_two_attempts_ends_the_request() {
    let mock = MockLlm::builder().tokens(1).fault("status=503;retry-after=1;first=1").start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    for (left, path) in [(1.0, STREAM), (2.0, "/llm")] {
        let request = tokio::spawn(server.post(path).send());
        server.until("llm_retries_total", left).await;
        request.abort();
        server.until_outcomes("disconnected", left).await;
        assert_eq!(server.metric("llm_concurrent_calls").await, 0.0);
        mock.set_faults(&["status=503;retry-after=1;first=1"]).unwrap();
    }
    // Longer than any of them would have slept.
    tokio::time::sleep(Duration::from_millis(1700)).await;
    assert_eq!(mock.ledger().started, 2, "no attempt was made for who had left");
}

#[tokio::test]
async fn leaving_before_the_first_token_ends_the_vendors_call() {
    let mock = MockLlm::builder().ttft(NEVER).start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    for path in [STREAM, "/llm"] {
        let request = tokio::spawn(server.post(path).send());
        eventually("the vendor has the call", || mock.ledger().active == 1).await;
        request.abort();
        eventually("the vendor's call ends", || mock.ledger().active == 0).await;
    }
    server.until_outcomes("disconnected", 2.0).await;
    assert_eq!((mock.ledger().cancelled, server.metric("llm_concurrent_calls").await), (2, 0.0));
}

#[tokio::test]
async fn leaving_in_the_middle_ends_the_vendors_call_while_it_is_silent() {
    let mock = MockLlm::builder().tokens(5).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let mut stream = server.stream().await;
    stream.chunk().await.unwrap().unwrap();
    assert_eq!(server.metric("llm_open_streams").await, 1.0);
    drop(stream);
    eventually("the vendor's call ends", || mock.ledger().active == 0).await;
    server.until_outcomes("disconnected", 1.0).await;
    assert_eq!((mock.ledger().cancelled, mock.ledger().tokens_sent), (1, 1));
    assert_eq!(server.metric("llm_open_streams").await, 0.0);
    assert_eq!(server.metric("llm_concurrent_calls").await, 0.0);
}
