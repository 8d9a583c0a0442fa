//! The first call that the queue timeout ends is tried again, as in the source, and no other.

use std::time::Duration;

use super::GAP;
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn the_first_timeout_is_tried_again_and_the_second_is_not() {
    let mock = vendor(1, Duration::from_secs(3600), GAP).await;
    let flags = ["--queue-timeout", "200ms", "--attempts", "3"];
    let server = TestServer::start("queue-timeout-covers-call", &mock.url(), &flags);
    let client = server.client();
    assert_eq!(client.whole().send().await.unwrap().status(), 504);
    assert_eq!(mock.ledger().started, 2);
    assert_eq!(client.outcomes("queue_timeout").await, 1.0);
    assert_eq!(client.metric("llm_concurrent_calls").await, 0.0);
}
