//! Async routes that wait for a thread.

use std::fs;
use std::net::IpAddr;

use tokio::task::JoinSet;
use wire::health::{FileProbe, ResolveProbe};

use super::{ASYNC, GAP, TOKENS, Times, stream_beside};
use crate::support::{TestServer, until, vendor};

const RESOLVE: &str = "/debug/resolve";
const READ_FILE: &str = "/debug/read-file";

/// How long the two routes take, and the async route that uses no pool, while two streams run beside a
/// pool of two.
async fn beside_two_streams(mistake: &str) -> (Times, Times, Times) {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start(mistake, &mock.url(), &["--blocking-threads", "2"]);
    let client = server.client();
    let streams = [stream_beside(&client), stream_beside(&client)];
    until("both streams at the vendor", async || mock.ledger().active == 2).await;
    let of = |path| Times::of(path, &client, &mock);
    let times = tokio::join!(of(RESOLVE), of(READ_FILE), of(ASYNC));
    for stream in streams {
        assert!(stream.await.unwrap().is_whole());
    }
    times
}

#[tokio::test]
async fn async_routes_wait_for_the_pool_that_the_streams_hold() {
    let (resolve, read_file, plain) = beside_two_streams("hidden-pool-users").await;
    // They wait for the end of a stream: for most of the 2 s that are left of it.
    for hidden in [resolve.longest(), read_file.longest()] {
        assert!(hidden >= GAP * 10, "{hidden:?}");
        assert!(plain.usual() <= hidden / 4, "{:?} without a pool, {hidden:?} with", plain.usual());
    }
}

#[tokio::test]
async fn the_same_routes_are_fast_in_the_control() {
    let (resolve, read_file, _) = beside_two_streams("none").await;
    assert!(resolve.usual().max(read_file.usual()) <= GAP * 5, "{resolve:?} {read_file:?}");
}

#[tokio::test]
async fn the_name_and_the_file_are_real() {
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

/// Were the pool another one than that of `web::block`, or had each worker not its own, this would not
/// be so: with one thread, the queue is in order.
#[tokio::test]
async fn each_look_up_is_work_in_the_pool_of_its_worker() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("hidden-pool-users", &mock.url(), &["--blocking-threads", "1"]);
    let client = server.client();
    let stream = client.open_stream().await;
    let mut waiting = JoinSet::new();
    for path in [RESOLVE, READ_FILE] {
        let client = client.clone();
        waiting.spawn(async move { client.get(path).await.status() });
    }
    // Answered on the event loop, after those two have got there.
    for _ in 0..5 {
        client.time(ASYNC).await;
    }
    assert!(waiting.try_join_next().is_none(), "answered while the only thread was held");
    assert!(stream.finish().await.is_whole());
    while let Some(status) = waiting.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
}
