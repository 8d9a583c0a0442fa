//! `/debug/health-async` for the length of a stream.

use super::{GAP, TOKENS, stops_everything_with_one_stream};
use crate::support::{EventStream, TestServer, vendor};

#[tokio::test]
async fn one_stream_stops_everything() {
    stops_everything_with_one_stream("blocked-executor").await;
}

#[tokio::test]
async fn it_still_delivers_each_token_when_it_comes() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("blocked-executor", &mock.url(), &[]);
    let mut stream: EventStream = server.client().open_stream().await;
    stream.read(2).await;
    assert!(mock.ledger().tokens_sent < u64::from(TOKENS));
    assert!(stream.finish().await.is_whole());
}
