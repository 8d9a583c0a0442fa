//! Clients that leave.

use std::time::Duration;

use crate::support::{TestServer, until, vendor};

/// So long that a test which had to wait for it would fail.
const NEVER: Duration = Duration::from_secs(3600);
const GAP: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_client_that_leaves_an_async_way_before_the_first_token_ends_the_call_at_once() {
    for mistake in ["none", "rollout --rollout-percent 100"] {
        let mock = vendor(5, NEVER, GAP).await;
        let server = TestServer::start(mistake, &mock.url(), &[]);
        let client = server.client();
        let waiting = tokio::spawn(client.chat().send());
        until("the call at the vendor", async || mock.ledger().active == 1).await;
        waiting.abort();
        until("the end of the call", async || mock.ledger().active == 0).await;
        assert_eq!(mock.ledger().cancelled, 1, "{mistake}");
        until("the count", async || client.metric("llm_disconnects_total").await == 1.0).await;
        assert_eq!(client.metric("llm_concurrent_calls").await, 0.0, "{mistake}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_the_control_mid_stream_ends_the_call_while_the_vendor_is_silent() {
    let mock = vendor(5, GAP, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &[]);
    let client = server.client();
    let mut stream = client.open_stream().await;
    stream.read(1).await;
    drop(stream);
    until("the end of the call", async || mock.ledger().active == 0).await;
    assert_eq!((mock.ledger().cancelled, mock.ledger().tokens_sent), (1, 1));
    until("the count", async || client.metric("llm_disconnects_total").await == 1.0).await;
    assert_eq!(client.metric("llm_open_streams").await, 0.0);
}

#[tokio::test]
async fn a_client_that_leaves_a_blocking_mistake_gives_its_thread_back_within_a_few_tokens() {
    const TOKENS: u32 = 400;
    for mistake in ["pool-exhaustion", "pool-per-chunk", "blocked-executor", "rollout"] {
        let mock = vendor(TOKENS, GAP, GAP).await;
        let server = TestServer::start(mistake, &mock.url(), &["--blocking-threads", "1"]);
        let client = server.client();
        let mut stream = client.open_stream().await;
        stream.read(2).await;
        drop(stream);
        // Needs the only thread, or the only executor.
        assert_eq!(client.get("/debug/health-sync").await.status(), 200);
        until("the end of the call", async || mock.ledger().active == 0).await;
        let ledger = mock.ledger();
        assert_eq!(ledger.cancelled, 1, "{mistake}");
        assert!(ledger.tokens_sent < u64::from(TOKENS) / 4, "{mistake}: {} tokens", ledger.tokens_sent);
        assert_eq!(client.metric("llm_disconnects_total").await, 1.0, "{mistake}");
    }
}

#[tokio::test]
async fn work_whose_client_left_the_queue_never_reaches_the_vendor() {
    let mock = vendor(20, GAP, GAP).await;
    let server = TestServer::start("pool-exhaustion", &mock.url(), &["--blocking-threads", "1"]);
    let client = server.client();
    let first = client.open_stream().await;
    let queued = tokio::spawn(client.chat().send());
    until("the second in the queue", async || client.metric("blocking_pool_queued").await == 1.0).await;
    queued.abort();
    until("its client gone", async || client.metric("llm_disconnects_total").await == 1.0).await;

    assert!(first.finish().await.is_whole());
    // The queue is first in, first out: when this is answered, the second had its turn.
    assert_eq!(client.get("/debug/health-sync").await.status(), 200);
    assert_eq!(mock.ledger().started, 1);
}
