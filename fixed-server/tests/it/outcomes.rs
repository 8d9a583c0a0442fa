//! Requests without an outcome. Those with one are in `conformance`.

use mock_llm::MockLlm;

use crate::server::{STREAM, Server};

#[tokio::test]
async fn a_malformed_request_has_no_outcome() {
    let mock = MockLlm::builder().start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let refused = server.post(STREAM).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(server.metric("llm_outcomes_total").await, 0.0);
    assert_eq!(server.metric("http_requests_total{route=\"/chat/stream\",status=\"400\"").await, 1.0);
}
