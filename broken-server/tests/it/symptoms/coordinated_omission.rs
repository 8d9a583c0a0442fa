//! Stalls on a schedule.

use std::time::Duration;

use super::{ASYNC, GAP, TOKENS};
use crate::support::{TestServer, until, vendor};

const STALLING: &[&str] = &["--stall-every", "600ms", "--stall-for", "300ms"];

#[tokio::test]
async fn the_event_loop_stalls_again_and_again() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("coordinated-omission", &mock.url(), STALLING);
    let client = server.client();
    let mut stalls = 0;
    until("three stalls", async || {
        // A request that comes early in a stall.
        stalls += u32::from(client.time(ASYNC).await > Duration::from_millis(150));
        stalls == 3
    })
    .await;
}

#[tokio::test]
async fn its_streams_are_read_asynchronously_as_in_the_control() {
    let mock = vendor(2, GAP / 20, GAP / 20).await;
    for (mistake, flags) in [("coordinated-omission", STALLING), ("none", &[])] {
        let server = TestServer::start(mistake, &mock.url(), flags);
        let response = server.client().chat().send().await.unwrap();
        assert_eq!(response.headers()["x-stream-method"], "async");
    }
}
