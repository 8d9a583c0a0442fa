//! Vendors that are slow or fail, as scripts of bytes.

use std::time::{Duration, Instant};

use mock_llm::MockLlm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{STREAM, Server, error_type};

const NEVER: Duration = Duration::from_secs(600);
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

fn token(text: &str) -> String {
    let head = r#"{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":"#;
    format!("data: {head}[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n")
}

/// A vendor that answers one call with these pieces and closes the connection.
async fn scripted(pieces: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _): (TcpStream, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        for piece in pieces {
            socket.write_all(piece.as_bytes()).await.unwrap();
            // So that they arrive separately.
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    });
    url
}

#[tokio::test]
async fn a_silent_vendor_ends_by_the_first_token_timeout() {
    let mock = MockLlm::builder().ttft(NEVER).start().await.unwrap();
    // The call timeout applies to whole calls: it does not limit the wait for a first token.
    let flags = ["--first-token-timeout", "600ms", "--call-timeout", "200ms", "--queue-timeout", "100ms"];
    let server = Server::start(&mock.url(), &flags).await;
    for (path, limit) in [(STREAM, 590), ("/llm", 190)] {
        let asked = Instant::now();
        let answer = server.post(path).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (502, "upstream_failure"), "{path}");
        assert!(asked.elapsed() >= Duration::from_millis(limit), "{path}: {:?}", asked.elapsed());
    }
    assert_eq!((server.outcomes("call_timeout").await, server.metric("llm_call_timeout_total").await), (2.0, 2.0));
}

#[tokio::test]
async fn a_vendor_that_falls_silent_ends_by_the_idle_timeout() {
    let mock = MockLlm::builder().tokens(5).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--idle-timeout", "300ms"]).await;
    let text = server.stream().await.text().await.unwrap();
    assert!(text.contains("event: error\n") && text.contains("idle_timeout") && !text.contains("[DONE]"), "{text}");
    server.until_outcomes("stream_error", 1.0).await;
    assert_eq!(server.metric("llm_concurrent_calls").await, 0.0);
}

#[tokio::test]
async fn a_healthy_stream_ends_by_the_total_timeout() {
    let gap = Duration::from_millis(50);
    let mock = MockLlm::builder().tokens(10_000).ttft(Duration::ZERO).inter_token(gap).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--idle-timeout", "600ms", "--total-timeout", "700ms"]).await;
    let text = server.stream().await.text().await.unwrap();
    assert!(text.contains("event: error\n") && text.contains("total_timeout") && !text.contains("[DONE]"), "{text}");
    server.until_outcomes("stream_error", 1.0).await;
    assert_eq!(server.metric("llm_concurrent_calls").await, 0.0);
}

/// A stream that is always ready might never check its timer.
#[tokio::test]
async fn a_stream_that_never_pauses_ends_then_too() {
    let mock = MockLlm::builder().tokens(1_000_000).ttft(Duration::ZERO).inter_token(Duration::ZERO);
    let mock = mock.start().await.unwrap();
    let server = Server::start(&mock.url(), &["--idle-timeout", "200ms", "--total-timeout", "300ms"]).await;
    let text = server.stream().await.text().await.unwrap();
    assert!(text.contains("total_timeout") && !text.contains("[DONE]"), "{} bytes", text.len());
}

#[tokio::test]
async fn a_comment_says_that_the_vendor_is_still_there() {
    let mut pieces = vec![format!("{HEAD}{}", token("a"))];
    pieces.extend(vec![": thinking\n\n".to_owned(); 20]);
    pieces.push("data: [DONE]\n\n".to_owned());
    // Six times the idle timeout in all, with no silence as long as it.
    let server = Server::start(&scripted(pieces).await, &["--idle-timeout", "200ms"]).await;
    assert!(server.stream().await.text().await.unwrap().ends_with("data: [DONE]\n\n"));
}

/// Half an event is held back until the rest arrives, and dropped if it does not: otherwise what follows would be read
/// as part of it.
#[tokio::test]
async fn half_an_event_is_never_passed_on() {
    let (one, two) = (token("one"), token("two"));
    let (begin, rest) = two.split_at(30);
    for (last, whole) in [(rest, true), ("", false)] {
        let pieces = vec![format!("{HEAD}{one}"), begin.to_owned(), format!("{last}data: [DO")];
        let server = Server::start(&scripted(pieces).await, &[]).await;
        let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
        let text = server.post("/v1/chat/completions").body(body).send().await.unwrap().text().await.unwrap();
        let passed_on = if whole { format!("{one}{two}") } else { one.clone() };
        let error = text.strip_prefix(&passed_on).unwrap_or_else(|| panic!("not first {passed_on}: {text}"));
        assert!(error.starts_with("event: error\ndata: {\"error\":"), "{error}");
        server.until_outcomes("stream_error", 1.0).await;
    }
}
