//! The async routes that need a thread of the pool.

use std::fs;
use std::net::IpAddr;

use tokio::task::JoinSet;
use wire::health::{FileProbe, ResolveProbe};

use super::{ASYNC, GAP, TOKENS};
use crate::support::{TestServer, vendor};

const RESOLVE: &str = "/debug/resolve";
const READ_FILE: &str = "/debug/read-file";

#[tokio::test]
async fn the_routes_look_up_a_name_and_read_a_file() {
    for mistake in ["none", "hidden-pool-users"] {
        let server = TestServer::start(mistake, "http://127.0.0.1:1", &[]);
        let client = server.client();
        let resolved: ResolveProbe = client.get(RESOLVE).await.json().await.unwrap();
        assert_eq!((resolved.probe.status.as_str(), resolved.probe.kind.as_str()), ("ok", "resolve"));
        assert!(!resolved.addresses.is_empty() && resolved.addresses.iter().all(IpAddr::is_loopback), "{resolved:?}");
        let read: FileProbe = client.get(READ_FILE).await.json().await.unwrap();
        assert_eq!((read.probe.status.as_str(), read.probe.kind.as_str()), ("ok", "read-file"));
        assert_eq!(read.bytes, fs::read("/etc/hosts").unwrap().len());
    }
}

/// The pool is the one of `web::block`, and each worker has its own. It has one thread here, so work for it runs in
/// order.
#[tokio::test]
async fn each_look_up_takes_a_thread_of_its_workers_pool() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("hidden-pool-users", &mock.url(), &["--blocking-threads", "1"]);
    let client = server.client();
    let stream = client.open_stream().await;
    let mut waiting = JoinSet::new();
    for path in [RESOLVE, READ_FILE] {
        let client = client.clone();
        waiting.spawn(async move { client.get(path).await.status() });
    }
    // Answered on the event loop, after those two requests have arrived.
    for _ in 0..5 {
        client.time(ASYNC).await;
    }
    assert!(waiting.try_join_next().is_none(), "answered while a stream held the only thread");
    assert!(stream.finish().await.is_complete());
    while let Some(status) = waiting.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
}
