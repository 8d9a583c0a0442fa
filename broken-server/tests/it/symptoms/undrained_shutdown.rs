//! Both forms of a stop without a drain, and the drain of the control: ten streams, and one whose vendor hangs.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Response, StatusCode};
use tokio::time::timeout;

use crate::support::{Client, EventStream, TestServer, vendor};

/// Streams of a second; the grace of the server that waits is less than half of it.
const GAP: Duration = Duration::from_millis(50);
const TOKENS: u32 = 20;
const GRACE: &[&str] = &["--shutdown-grace", "400ms"];
const STREAMS: usize = 10;

/// Opens a stream, stuck after its second token or not.
async fn open(client: &Client, stuck: bool) -> Response {
    let request = client.chat();
    let request = if stuck { request.header("x-mock-fault", "hang-after=2") } else { request };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response
}

async fn open_all(client: &Client) -> (Vec<Response>, Response) {
    let healthy = join_all((0..STREAMS).map(|_| open(client, false))).await;
    (healthy, open(client, true).await)
}

#[tokio::test]
async fn close_cuts_every_stream_without_a_word() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let mut server = TestServer::start("undrained-shutdown", &mock.url(), &["--shutdown-grace", "1h"]);
    let (healthy, stuck) = open_all(&server.client()).await;
    server.begin_stop();
    for stream in healthy.into_iter().chain([stuck]) {
        assert!(stream.text().await.is_err(), "the body has an end");
    }
    server.stopped().await;
    assert_eq!(mock.ledger().completed, 0);
}

#[tokio::test]
async fn wait_lets_streams_end_and_waits_for_the_stuck_one_long_after_the_grace() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let mut server = TestServer::start("undrained-shutdown --on-stop wait", &mock.url(), GRACE);
    let (healthy, stuck) = open_all(&server.client()).await;
    server.begin_stop();
    for stream in join_all(healthy.into_iter().map(|stream| EventStream::new(stream).finish())).await {
        assert!(stream.is_complete(), "{stream:?}");
    }
    let waited = timeout(Duration::from_secs(1), EventStream::new(stuck).finish()).await;
    assert!(waited.is_err(), "it has ended: {waited:?}");
    assert!(timeout(Duration::ZERO, server.stopped()).await.is_err(), "the server has stopped");
}

/// The control gives the streams their grace, and then ends them all.
#[tokio::test]
async fn the_control_ends_the_stuck_stream_with_an_error_event_and_stops() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let mut server = TestServer::start("none", &mock.url(), &["--shutdown-grace", "2s"]);
    let (healthy, stuck) = open_all(&server.client()).await;
    server.begin_stop();
    for stream in join_all(healthy.into_iter().map(|stream| EventStream::new(stream).finish())).await {
        assert!(stream.is_complete(), "{stream:?}");
    }
    assert_eq!(EventStream::new(stuck).finish().await.error()["type"], "shutting_down");
    server.stopped().await;
}
