//! What has no outcome. What has one is in `conformance`.

use mock_llm::MockLlm;

use crate::server::{STREAM, Server};

#[tokio::test]
async fn what_is_refused_as_malformed_is_no_request_for_the_model() {
    let mock = MockLlm::builder().start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let refused = server.post(STREAM).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(server.metric("llm_outcomes_total").await, 0.0);
    assert_eq!(server.metric("http_requests_total{route=\"/chat/stream\",status=\"400\"").await, 1.0);
}
