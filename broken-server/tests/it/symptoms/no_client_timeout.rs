//! What is left where the client has no timeouts: the SLA, for what has not begun.

use std::time::Duration;

use super::GAP;
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn the_sla_ends_what_has_not_begun() {
    let mock = vendor(1, Duration::from_secs(3600), GAP).await;
    let limits = ["--queue-timeout", "50ms", "--call-timeout", "100ms", "--first-token-timeout", "100ms"];
    let flags = [&limits[..], &["--sla", "400ms"]].concat();
    let server = TestServer::start("no-client-timeout", &mock.url(), &flags);
    let client = server.client();
    for request in [client.whole(), client.chat()] {
        assert_eq!(request.send().await.unwrap().status(), 504);
    }
    assert_eq!(client.outcomes("sla_timeout").await, 2.0);
    assert_eq!(mock.ledger().started, 2, "no timeout has ended an attempt before");
    assert_eq!(client.metric("llm_concurrent_calls").await, 0.0);
}
