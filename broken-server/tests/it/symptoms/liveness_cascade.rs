//! What a supervisor would see.

use super::{GAP, TOKENS};
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn live_is_answered_when_a_stream_has_ended() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("liveness-cascade", &mock.url(), &["--blocking-threads", "1"]);
    let client = server.client();
    assert_eq!(client.get("/live").await.status(), 200);
    let stream = client.open_stream().await;
    // More than a second of the stream's two is left.
    assert!(client.time("/live").await > GAP * (TOKENS / 2));
    assert!(stream.finish().await.is_complete());
    assert_eq!(mock.ledger().completed, 1);
}
