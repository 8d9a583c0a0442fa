//! How long a stream holds its connection to the database.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::GAP;
use crate::support::{TestServer, vendor};

const IN_USE: &str = "database_connections_in_use";

#[tokio::test]
async fn the_connection_is_back_after_the_first_token_or_the_last_and_after_a_disconnect() {
    for (mistake, while_open) in
        [("db-held-during-call", 0.0), ("db-held-during-call --connection-until body", 1.0), ("none", 0.0)]
    {
        let mock = vendor(5, GAP, Duration::from_secs(3600)).await;
        let server = TestServer::start(mistake, &mock.url(), &["--database-pool-size", "1"]);
        let client = server.client();
        let body = json!({"model": "mock-llm", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
        let request = client.request(Method::POST, "/v1/chat/completions");
        let mut stream = request.bearer_auth("demo-key").json(&body).send().await.unwrap();
        assert!(stream.chunk().await.unwrap().is_some(), "{mistake}");
        client.until_metric(IN_USE, while_open).await;
        drop(stream);
        client.until_metric(IN_USE, 0.0).await;
        assert_eq!(client.completion().header("x-mock-tokens", "1").send().await.unwrap().status(), 200, "{mistake}");
    }
}
