//! Shutdown at each stage of a call.

use std::time::{Duration, Instant};

use mock_llm::MockLlm;

use crate::server::{BOUND, STREAM, Server, error_type, eventually};

const NEVER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn shutdown_rejects_new_calls_and_lets_streams_finish() {
    let gap = Duration::from_millis(60);
    let mock = MockLlm::builder().tokens(10).ttft(Duration::ZERO).inter_token(gap).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--shutdown-grace", "9s"]).await;
    let stream = server.stream().await;
    server.shut_down();
    while server.ready().await == 200 {}
    let refused = server.stream().await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    assert_eq!(error_type(refused).await, "shutting_down");
    assert!(stream.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    server.stopped().await;
    assert_eq!((mock.ledger().started, mock.ledger().completed), (1, 1));
}

/// Calls that are queued, waiting for the first token, or streaming.
#[tokio::test]
async fn calls_left_after_the_grace_end_with_an_error() {
    let endless = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let server = Server::start(&endless.url(), &["--max-in-flight", "1", "--shutdown-grace", "600ms"]).await;
    let streaming = server.stream().await;
    let queued = tokio::spawn(server.post(STREAM).send());
    server.until("llm_queue_length", 1.0).await;

    let silent = MockLlm::builder().ttft(NEVER).start().await.unwrap();
    let other = Server::start(&silent.url(), &["--shutdown-grace", "600ms"]).await;
    let waiting = tokio::spawn(other.post(STREAM).send());
    eventually("the vendor has the call", || silent.ledger().active == 1).await;

    let begun = Instant::now();
    server.shut_down();
    other.shut_down();
    for request in [queued, waiting] {
        let answer = request.await.unwrap().unwrap();
        assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (503, "shutting_down"));
    }
    let text = streaming.text().await.unwrap();
    assert!(text.contains("event: error\n") && text.contains("shutting_down") && !text.contains("[DONE]"), "{text}");
    assert!(begun.elapsed() >= Duration::from_millis(590), "the grace was not given: {:?}", begun.elapsed());
    server.stopped().await;
    other.stopped().await;
    eventually("the vendors' calls end", || endless.ledger().active + silent.ledger().active == 0).await;
    assert!(begun.elapsed() < BOUND);
}

/// Calls that wait for the rate, or between two attempts: none of them is at the vendor.
#[tokio::test]
async fn calls_that_wait_end_with_an_error_after_the_grace() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let flags = ["--shutdown-grace", "300ms", "--rate-limit", "1/4s"];
    let rated = Server::start(&mock.url(), &flags).await;
    assert_eq!(rated.post("/llm").send().await.unwrap().status(), 200);
    let waiting = tokio::spawn(rated.post(STREAM).send());
    rated.until("llm_queue_length", 1.0).await;

    let failing = MockLlm::builder().fault("status=503;retry-after=9").start().await.unwrap();
    let retrying = Server::start(&failing.url(), &["--shutdown-grace", "300ms"]).await;
    let sleeping = tokio::spawn(retrying.post(STREAM).send());
    retrying.until("llm_retries_total", 1.0).await;

    let begun = Instant::now();
    for (server, request) in [(rated, waiting), (retrying, sleeping)] {
        server.shut_down();
        let answer = request.await.unwrap().unwrap();
        assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (503, "shutting_down"));
        server.stopped().await;
    }
    assert!(begun.elapsed() < BOUND);
    assert_eq!((mock.ledger().started, failing.ledger().started), (1, 1));
}
