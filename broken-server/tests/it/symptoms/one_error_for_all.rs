//! What one error for all does to a server that is full.

use std::time::Duration;

use super::GAP;
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn a_full_server_tries_again_and_blames_the_vendor() {
    let mock = vendor(5, GAP, Duration::from_secs(3600)).await;
    let flags = ["--max-in-flight", "1", "--max-queued", "0", "--attempts", "2"];
    for (mistake, status, outcome, retries) in
        [("one-error-for-all", 502, "call_timeout", 1.0), ("none", 429, "overloaded", 0.0)]
    {
        let server = TestServer::start(mistake, &mock.url(), &flags);
        let client = server.client();
        let mut stream = client.open_stream().await;
        stream.read(1).await;
        let refused = client.whole().send().await.unwrap();
        assert_eq!(refused.status(), status, "{mistake}");
        assert_eq!(refused.headers().contains_key("retry-after"), status == 429, "{mistake}");
        assert_eq!(client.outcomes(outcome).await, 1.0, "{mistake}");
        assert_eq!(client.metric("llm_retries_total").await, retries, "{mistake}");
    }
}
