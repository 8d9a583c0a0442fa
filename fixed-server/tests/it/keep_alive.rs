//! Answers that begin before their first token.

use std::time::Duration;

use mock_llm::MockLlm;

use crate::server::{STREAM, Server, eventually};

const NEVER: Duration = Duration::from_secs(600);
const COMMENT: &str = ": keep-alive\n\n";
const FLAGS: [&str; 2] = ["--early-keep-alive", "100ms"];

#[tokio::test]
async fn comments_precede_a_late_first_token() {
    let mock = MockLlm::builder().tokens(3).ttft(Duration::from_millis(700)).inter_token(Duration::ZERO);
    let mock = mock.start().await.unwrap();
    let server = Server::start(&mock.url(), &FLAGS).await;
    let answer = server.stream().await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
        (200, "text/event-stream")
    );
    let text = answer.text().await.unwrap();
    let comments = text.matches(COMMENT).count();
    assert!((2..=7).contains(&comments), "{comments} of 100 ms each in 700 ms: {text}");
    let rest = text.trim_start_matches(COMMENT);
    assert!(rest.starts_with("data: {\"content\":") && rest.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(server.outcomes("success").await, 1.0);
}

/// The status has been sent, so a failure is an event. Retries still happen behind it, and are not visible.
#[tokio::test]
async fn a_failure_after_a_comment_is_an_error_event() {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO);
    let mock = mock.fault("status=503;retry-after=1;first=3").start().await.unwrap();
    let server = Server::start(&mock.url(), &[&FLAGS[..], &["--attempts", "2"]].concat()).await;
    let text = server.stream().await.text().await.unwrap();
    let rest = text.trim_start_matches(COMMENT);
    assert!(text.starts_with(COMMENT) && rest.starts_with("event: error\ndata: {\"error\":"), "{text}");
    assert!(rest.contains("upstream_failure") && !rest.contains("[DONE]"), "{text}");
    assert_eq!((mock.ledger().started, server.outcomes("upstream_failure").await), (2, 1.0));

    let text = server.stream().await.text().await.unwrap();
    assert!(text.starts_with(COMMENT) && text.ends_with("data: [DONE]\n\n") && !text.contains("error"), "{text}");
    assert_eq!((mock.ledger().started, server.outcomes("success").await), (4, 1.0));
}

#[tokio::test]
async fn a_disconnect_between_comments_ends_the_vendors_call() {
    let mock = MockLlm::builder().ttft(NEVER).start().await.unwrap();
    let server = Server::start(&mock.url(), &FLAGS).await;
    let mut answer = server.stream().await;
    answer.chunk().await.unwrap().unwrap();
    assert_eq!(mock.ledger().active, 1);
    drop(answer);
    eventually("the vendor's call ends", || mock.ledger().active == 0).await;
    server.until_outcomes("disconnected", 1.0).await;
}

#[tokio::test]
async fn a_failure_before_the_first_comment_is_a_status() {
    let mock = MockLlm::builder().fault("status=400").start().await.unwrap();
    let server = Server::start(&mock.url(), &["--early-keep-alive", "20s"]).await;
    assert_eq!(server.post(STREAM).send().await.unwrap().status(), 400);
}
