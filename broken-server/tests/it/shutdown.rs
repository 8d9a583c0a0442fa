//! An orderly stop.

use std::time::{Duration, Instant};

use broken_server::registry::mistakes;
use futures_util::future::join_all;
use tokio::task::JoinSet;

use crate::support::{CALL_STYLES, TestServer, until, vendor};

const GAP: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(3600);

/// The styles that answer others while a stream runs.
fn responsive() -> impl Iterator<Item = &'static &'static str> {
    CALL_STYLES.iter().filter(|mistake| !mistake.starts_with("block"))
}

#[tokio::test]
async fn during_the_grace_streams_go_on_and_new_calls_are_rejected() {
    let check = async |&mistake: &&str| {
        let mock = vendor(20, GAP, GAP).await;
        let mut server = TestServer::start(mistake, &mock.url(), &[]);
        let client = server.client();
        let stream = client.open_stream().await;
        server.begin_stop();
        until("not ready", async || client.ready().await == 503).await;
        let rejected = client.chat().send().await.unwrap();
        assert_eq!(rejected.status(), 503);
        assert_eq!(rejected.headers()["retry-after"], "1");
        let body: serde_json::Value = rejected.json().await.unwrap();
        assert_eq!(body["error"]["type"], "shutting_down");

        assert!(stream.finish().await.is_complete(), "{mistake}");
        server.stopped().await;
        assert_eq!(mock.ledger().completed, 1);
    };
    join_all(responsive().map(check)).await;
}

#[tokio::test]
async fn after_the_grace_streams_end_with_an_error_event() {
    let check = async |&mistake: &&str| {
        let mock = vendor(5, GAP, NEVER).await;
        let mut server = TestServer::start(mistake, &mock.url(), &["--shutdown-grace", "300ms"]);
        let stream = server.client().open_stream().await;
        server.begin_stop();
        let error = stream.finish().await.error();
        assert_eq!(error["type"], "shutting_down", "{mistake}");
        server.stopped().await;
        until("the end of the call", async || mock.ledger().active == 0).await;
    };
    join_all(responsive().map(check)).await;
}

#[tokio::test]
async fn after_the_grace_a_call_without_a_token_is_503() {
    let mock = vendor(5, NEVER, GAP).await;
    let mut server = TestServer::start("pool-exhaustion", &mock.url(), &["--shutdown-grace", "300ms"]);
    let waiting = tokio::spawn(server.client().chat().send());
    until("the call at the vendor", async || mock.ledger().active == 1).await;
    server.begin_stop();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 503);
    server.stopped().await;
}

#[tokio::test]
async fn every_mistake_stops_after_its_grace() {
    let mut all = JoinSet::new();
    for mistake in mistakes().map(|mistake| mistake.name) {
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
