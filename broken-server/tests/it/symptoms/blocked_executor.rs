//! The stream that stops everything else.

use super::{GAP, TOKENS};
use crate::support::{EventStream, TestServer, vendor};

#[tokio::test]
async fn each_token_is_delivered_when_it_comes() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("blocked-executor", &mock.url(), &[]);
    let mut stream: EventStream = server.client().open_stream().await;
    stream.read(2).await;
    assert!(mock.ledger().tokens_sent < u64::from(TOKENS));
    assert!(stream.finish().await.is_complete());
}
