//! Clients that leave, at each stage.

use std::time::Duration;

use super::{NEVER, STREAM, WHOLE};
use crate::support::{Client, TestServer, until, vendor};

const ONE_AT_A_TIME: [&str; 2] = ["--max-in-flight", "1"];

/// The permit is back: somebody else can have it.
async fn permit_is_back(client: &Client) {
    client.until_metric("llm_concurrent_calls", 0.0).await;
    let next = client.chat().header("x-mock-ttft", "0s").send().await.unwrap();
    assert_eq!(next.status(), 200);
}

#[tokio::test]
async fn leaving_the_queue_gives_the_place_back_and_reaches_no_vendor() {
    let mock = vendor(2, Duration::ZERO, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &ONE_AT_A_TIME);
    let client = server.client();
    let running = client.open_stream().await;
    for path in [STREAM, WHOLE] {
        let waiting = tokio::spawn(client.post(path, false).send());
        client.until_metric("llm_queue_length", 1.0).await;
        waiting.abort();
        client.until_metric("llm_queue_length", 0.0).await;
    }
    client.until_metric("llm_disconnects_total", 2.0).await;
    assert_eq!((mock.ledger().started, client.metric("llm_concurrent_calls").await), (1, 1.0));
    drop(running);
    permit_is_back(&client).await;
}

#[tokio::test]
async fn leaving_before_the_first_token_ends_the_vendors_call() {
    let mock = vendor(2, NEVER, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &ONE_AT_A_TIME);
    let client = server.client();
    for path in [STREAM, WHOLE] {
        let request = tokio::spawn(client.post(path, false).send());
        until("the call at the vendor", async || mock.ledger().active == 1).await;
        assert_eq!(client.metric("llm_concurrent_calls").await, 1.0);
        request.abort();
        until("the end of the call", async || mock.ledger().active == 0).await;
    }
    client.until_metric("llm_disconnects_total", 2.0).await;
    assert_eq!((mock.ledger().cancelled, mock.ledger().started), (2, 2));
    permit_is_back(&client).await;
}

#[tokio::test]
async fn leaving_in_the_middle_ends_the_vendors_call_while_it_is_silent() {
    let mock = vendor(5, Duration::ZERO, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &ONE_AT_A_TIME);
    let client = server.client();
    let mut stream = client.open_stream().await;
    stream.read(1).await;
    assert_eq!(client.metric("llm_concurrent_calls").await, 1.0);
    drop(stream);
    until("the end of the call", async || mock.ledger().active == 0).await;
    client.until_metric("llm_disconnects_total", 1.0).await;
    assert_eq!((mock.ledger().cancelled, mock.ledger().tokens_sent), (1, 1));
    permit_is_back(&client).await;
}

#[tokio::test]
async fn leaving_between_two_attempts_ends_the_request() {
    let mock = vendor(1, Duration::ZERO, Duration::ZERO).await;
    let server = TestServer::start("none", &mock.url(), &ONE_AT_A_TIME);
    let client = server.client();
    for (left, path) in [(1.0, STREAM), (2.0, WHOLE)] {
        let fault = ("x-mock-fault", "status=503;retry-after=1");
        let request = tokio::spawn(client.post(path, false).header(fault.0, fault.1).send());
        client.until_metric("llm_retries_total", left).await;
        assert_eq!(client.metric("llm_concurrent_calls").await, 0.0, "nothing is held between two attempts");
        request.abort();
        client.until_metric("llm_disconnects_total", left).await;
    }
    // Longer than either of them would have slept.
    tokio::time::sleep(Duration::from_millis(1700)).await;
    assert_eq!(mock.ledger().started, 2, "no attempt was made for who had left");
    permit_is_back(&client).await;
}

/// A stream that broke has given back what it held, whether its client reads on or not.
#[tokio::test]
async fn a_stream_that_breaks_gives_its_permit_back() {
    let mock = vendor(5, Duration::ZERO, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &[&ONE_AT_A_TIME[..], &["--idle-timeout", "200ms"]].concat());
    let client = server.client();
    let ended = client.open_stream().await.finish().await;
    assert_eq!((ended.tokens(), &ended.error()["code"]), (1, &"idle_timeout".into()));
    assert_eq!(client.outcomes("stream_error").await, 1.0);
    permit_is_back(&client).await;
}
