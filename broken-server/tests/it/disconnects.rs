//! Clients that disconnect. What a disconnect frees in the control is in `conformance`.

use std::time::Duration;

use crate::support::{TestServer, until, vendor};

/// A test that waited for this would fail.
const NEVER: Duration = Duration::from_secs(3600);
const GAP: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_disconnect_ends_an_async_call_before_its_first_token() {
    let mock = vendor(5, NEVER, GAP).await;
    let server = TestServer::start("rollout --rollout-percent 100", &mock.url(), &[]);
    let client = server.client();
    let waiting = tokio::spawn(client.chat().send());
    until("the call at the vendor", async || mock.ledger().active == 1).await;
    waiting.abort();
    until("the end of the call", async || mock.ledger().active == 0).await;
    assert_eq!(mock.ledger().cancelled, 1);
    client.until_metric("llm_disconnects_total", 1.0).await;
    assert_eq!(client.metric("llm_concurrent_calls").await, 0.0);
}

#[tokio::test]
async fn a_disconnect_frees_the_pool_thread_within_a_few_tokens() {
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
async fn a_disconnect_in_the_pools_queue_makes_no_call() {
    let mock = vendor(20, GAP, GAP).await;
    let server = TestServer::start("pool-exhaustion", &mock.url(), &["--blocking-threads", "1"]);
    let client = server.client();
    let first = client.open_stream().await;
    let queued = tokio::spawn(client.chat().send());
    client.until_metric("blocking_pool_queued", 1.0).await;
    queued.abort();
    client.until_metric("llm_disconnects_total", 1.0).await;

    assert!(first.finish().await.is_complete());
    // The queue is first in, first out: this is answered after the second request was dropped from it.
    assert_eq!(client.get("/debug/health-sync").await.status(), 200);
    assert_eq!(mock.ledger().started, 1);
}
