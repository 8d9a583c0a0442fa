//! Whom a stream that is cut is blamed on, and that whole calls have the limit that is theirs.

use std::time::Duration;

use super::{GAP, TOKENS};
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn the_vendor_is_blamed_for_a_cut_stream_and_whole_calls_are_as_usual() {
    let mock = vendor(TOKENS, Duration::from_millis(10), GAP).await;
    let flags = ["--call-timeout", "600ms", "--queue-timeout", "100ms", "--attempts", "1"];
    let server = TestServer::start("total-timeout-on-stream", &mock.url(), &flags);
    let client = server.client();
    let cut = client.open_stream().await.finish().await;
    assert_eq!(cut.error()["code"], "connection_broken");
    assert!(cut.tokens() < TOKENS as usize, "{cut:?}");
    assert_eq!(client.whole().send().await.unwrap().status(), 502);
    assert_eq!(client.outcomes("call_timeout").await, 1.0);
}
