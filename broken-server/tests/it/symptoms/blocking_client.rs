//! The panic in a debug build. The same profile decides for this test and for reqwest, unless somebody sets
//! `debug-assertions` for one package alone.

use serde_json::Value;

use super::{ASYNC, GAP, TOKENS};
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn a_debug_build_panics_on_every_call_and_goes_on() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("blocking-client", &mock.url(), &[]);
    let client = server.client();
    for request in [client.chat(), client.whole(), client.chat(), client.whole()] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 500);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["type"], "internal", "{body}");
    }
    assert_eq!(client.get(ASYNC).await.status(), 200);
    assert_eq!(mock.ledger().completed, 0);
    // The metrics show that the server is at fault.
    let metrics = client.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("llm_errors_total{type=\"internal\"} 4\n"), "{metrics}");
    assert_eq!(client.metric("llm_disconnects_total").await, 0.0);
}
