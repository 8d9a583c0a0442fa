//! Stopping.

use std::time::{Duration, Instant};

use broken_server::registry::MISTAKES;
use tokio::task::JoinSet;

use crate::support::{TestServer, WAYS, until, vendor};

const GAP: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn streams_may_finish_within_the_grace_while_new_calls_are_refused() {
    for &mistake in WAYS.iter().filter(|mistake| !mistake.starts_with("block")) {
        let mock = vendor(20, GAP, GAP).await;
        let mut server = TestServer::start(mistake, &mock.url(), &[]);
        let client = server.client();
        let stream = client.open_stream().await;
        server.begin_stop();
        until("not ready", async || client.ready().await == 503).await;
        let refused = client.chat().send().await.unwrap();
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()["retry-after"], "1");
        let body: serde_json::Value = refused.json().await.unwrap();
        assert_eq!(body["error"]["type"], "shutting_down");

        assert!(stream.finish().await.is_whole(), "{mistake}");
        server.stopped().await;
        assert_eq!(mock.ledger().completed, 1);
    }
}

#[tokio::test]
async fn what_is_left_after_the_grace_ends_with_an_error_and_the_vendor_is_let_go() {
    for &mistake in WAYS.iter().filter(|mistake| !mistake.starts_with("block")) {
        let mock = vendor(5, GAP, NEVER).await;
        let mut server = TestServer::start(mistake, &mock.url(), &["--shutdown-grace", "300ms"]);
        let stream = server.client().open_stream().await;
        server.begin_stop();
        let error = stream.finish().await.error();
        assert_eq!(error["type"], "shutting_down", "{mistake}");
        server.stopped().await;
        until("the end of the call", async || mock.ledger().active == 0).await;
    }
}

#[tokio::test]
async fn a_call_without_a_first_token_is_refused_when_the_grace_is_over() {
    let mock = vendor(5, NEVER, GAP).await;
    let mut server = TestServer::start("pool-exhaustion", &mock.url(), &["--shutdown-grace", "300ms"]);
    let waiting = tokio::spawn(server.client().chat().send());
    until("the call at the vendor", async || mock.ledger().active == 1).await;
    server.begin_stop();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 503);
    server.stopped().await;
}

#[tokio::test]
async fn no_mistake_can_hold_up_the_end() {
    let mut all = JoinSet::new();
    for mistake in MISTAKES.iter().map(|mistake| mistake.name) {
        all.spawn(async move {
            let mock = vendor(5, GAP, NEVER).await;
            let mut server = TestServer::start(mistake, &mock.url(), &["--shutdown-grace", "100ms"]);
            let _stream = server.client().chat().send().await.unwrap();
            let begun = Instant::now();
            server.begin_stop();
            server.stopped().await;
            assert!(begun.elapsed() < Duration::from_secs(8), "{mistake}: {:?}", begun.elapsed());
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
}
