//! What is left of a stream without a format.

use std::time::Duration;

use mock_llm::text;

use crate::support::{TestServer, vendor};

#[tokio::test]
async fn the_body_is_the_text_between_data_and_line_ends() {
    const TOKENS: u32 = 30;
    let mock = vendor(TOKENS, Duration::ZERO, Duration::ZERO).await;
    let server = TestServer::start("raw-sse", &mock.url(), &[]);
    let body = server.client().chat().send().await.unwrap().text().await.unwrap();
    let expected: String = (0..TOKENS).map(|index| format!("data: {}\n\n", text::token(1, index))).collect();
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_failure_after_the_first_token_has_no_name() {
    let mock = vendor(5, Duration::ZERO, Duration::ZERO).await;
    let server = TestServer::start("raw-sse", &mock.url(), &[]);
    let failing = server.client().chat().header("x-mock-fault", "close-after=2");
    let body = failing.send().await.unwrap().text().await.unwrap();
    let (tokens, last) = body.trim_end().rsplit_once("\n\n").unwrap();
    assert!(tokens.starts_with("data: ") && last.starts_with("data: {\"error\":{"), "{body}");
    assert!(!body.contains("event:") && !body.contains("[DONE]"), "{body}");
    assert_eq!(server.client().outcomes("stream_error").await, 1.0);
}
