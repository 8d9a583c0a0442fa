//! The task that reads ahead of the client ends with it.

use std::time::Duration;

use super::GAP;
use crate::support::{TestServer, until, vendor};

#[tokio::test]
async fn a_disconnect_ends_the_call_while_the_vendor_is_silent() {
    let mock = vendor(5, GAP, Duration::from_secs(3600)).await;
    let server = TestServer::start("slow-reader", &mock.url(), &[]);
    let client = server.client();
    let mut stream = client.open_stream().await;
    stream.read(1).await;
    drop(stream);
    until("the end of the call", async || mock.ledger().active == 0).await;
    assert_eq!(mock.ledger().cancelled, 1);
    client.until_metric("llm_disconnects_total", 1.0).await;
    assert_eq!(client.metric("llm_concurrent_calls").await, 0.0);
}
