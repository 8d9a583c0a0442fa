//! Stopping, at each stage.

use std::time::{Duration, Instant};

use mock_llm::MockLlm;

use crate::server::{BOUND, STREAM, Server, error_type, eventually};

const NEVER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_stop_refuses_what_is_new_and_lets_a_stream_end_whole() {
    let gap = Duration::from_millis(60);
    let mock = MockLlm::builder().tokens(10).ttft(Duration::ZERO).inter_token(gap).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--shutdown-grace", "9s"]).await;
    let stream = server.stream().await;
    server.tell_to_stop();
    while server.ready().await == 200 {}
    let refused = server.stream().await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    assert_eq!(error_type(refused).await, "shutting_down");
    assert!(stream.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    server.stopped().await;
    assert_eq!((mock.ledger().started, mock.ledger().completed), (1, 1));
}

/// Queued, waiting for the first token, and in the middle: each is told, and the server is gone.
#[tokio::test]
async fn what_is_left_after_the_grace_is_told_so_at_every_stage() {
    let endless = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let server = Server::start(&endless.url(), &["--max-in-flight", "1", "--shutdown-grace", "600ms"]).await;
    let streaming = server.stream().await;
    let queued = tokio::spawn(server.post(STREAM).send());
    server.until("llm_queue_length", 1.0).await;

    let silent = MockLlm::builder().ttft(NEVER).start().await.unwrap();
    let other = Server::start(&silent.url(), &["--shutdown-grace", "600ms"]).await;
    let waiting = tokio::spawn(other.post(STREAM).send());
    eventually("the vendor has the call", || silent.ledger().active == 1).await;

    let told = Instant::now();
    server.tell_to_stop();
    other.tell_to_stop();
    for request in [queued, waiting] {
        let answer = request.await.unwrap().unwrap();
        assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (503, "shutting_down"));
    }
    let text = streaming.text().await.unwrap();
    assert!(text.contains("event: error\n") && text.contains("shutting_down") && !text.contains("[DONE]"), "{text}");
    assert!(told.elapsed() >= Duration::from_millis(590), "the grace was not given: {:?}", told.elapsed());
    server.stopped().await;
    other.stopped().await;
    eventually("the vendors' calls end", || endless.ledger().active + silent.ledger().active == 0).await;
    assert!(told.elapsed() < BOUND);
}

/// Waiting for the rate, and between two attempts: nobody is at the vendor, and each is told.
#[tokio::test]
async fn who_waits_without_the_vendor_is_told_as_well() {
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

    let told = Instant::now();
    for (server, request) in [(rated, waiting), (retrying, sleeping)] {
        server.tell_to_stop();
        let answer = request.await.unwrap().unwrap();
        assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (503, "shutting_down"));
        server.stopped().await;
    }
    assert!(told.elapsed() < BOUND);
    assert_eq!((mock.ledger().started, failing.ledger().started), (1, 1));
}
