//! A wait for a connection of the client is tried again as if the vendor had been slow, and a disconnect frees one.

use std::time::Duration;

use super::GAP;
use crate::support::{TestServer, until, vendor};

#[tokio::test]
async fn a_full_pool_of_connections_is_blamed_on_the_vendor_until_a_client_disconnects() {
    let mock = vendor(5, GAP, Duration::from_secs(3600)).await;
    let flags = ["--client-connections", "1", "--client-pool-timeout", "200ms", "--attempts", "2"];
    let server = TestServer::start("client-pool", &mock.url(), &flags);
    let client = server.client();
    let mut stream = client.open_stream().await;
    stream.read(1).await;
    assert_eq!(client.whole().send().await.unwrap().status(), 502);
    assert_eq!(client.outcomes("call_timeout").await, 1.0);
    assert_eq!(client.metric("llm_retries_total").await, 1.0);
    assert_eq!(mock.ledger().started, 1, "the vendor has not been asked");
    drop(stream);
    until("the end of the call", async || mock.ledger().active == 0).await;
    client.open_stream().await.read(1).await;
    assert_eq!(mock.ledger().started, 2);
}
