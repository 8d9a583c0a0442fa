//! Connections to the vendor: used again where the vendor allows it, and never at a client's expense.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::server::{BOUND, STREAM, Server, error_type};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
/// One attempt: what goes wrong with it reaches the client.
const ONE_ATTEMPT: [&str; 2] = ["--attempts", "1"];

fn stream() -> String {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    format!("{:x}\r\n{event}\r\n0\r\n\r\n", event.len())
}

fn whole(headers: &str) -> String {
    let body = r#"{"object":"chat.completion","choices":[{"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}"#;
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

/// A vendor by a script, and the number of connections that it has accepted.
struct Vendor {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Vendor {
    /// Answers every request with `answer`. After `requests` on one connection it closes that, without
    /// having said so.
    async fn start(answer: String, requests: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = connections.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(socket, answer.clone(), requests));
            }
        });
        Vendor { url, connections }
    }
}

async fn serve(mut socket: TcpStream, answer: String, requests: usize) {
    let mut request = vec![0; 16 * 1024];
    for _ in 0..requests {
        match socket.read(&mut request).await {
            Ok(1..) => socket.write_all(answer.as_bytes()).await.unwrap(),
            _ => return,
        }
    }
}

/// The statuses of three calls, one after the other, and the connections that they took.
async fn three_calls(path: &str, answer: String, requests: usize) -> ([u16; 3], usize) {
    let vendor = Vendor::start(answer, requests).await;
    let server = Server::start(&vendor.url, &ONE_ATTEMPT).await;
    let mut statuses = [0; 3];
    for status in &mut statuses {
        let answer = server.post(path).send().await.unwrap();
        *status = answer.status().as_u16();
        answer.text().await.unwrap();
        // Time for the vendor's close to arrive.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (statuses, vendor.connections.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_connection_is_reused_if_the_vendor_allows_it() {
    const ALWAYS: usize = usize::MAX;
    assert_eq!(three_calls(STREAM, [CHUNKED, &stream()].concat(), ALWAYS).await, ([200; 3], 1));
    assert_eq!(three_calls("/llm", whole(""), ALWAYS).await, ([200; 3], 1));
    assert_eq!(three_calls("/llm", whole("connection: close\r\n"), ALWAYS).await, ([200; 3], 3));
    let with_more = whole("") + "HTTP/1.1 408 Request Timeout\r\n\r\n";
    assert_eq!(three_calls("/llm", with_more, ALWAYS).await, ([200; 3], 3), "what it sent unasked answers nothing");
}

/// The vendor closes the kept connection without notice: the next call opens another one, and no client
/// sees a failure.
#[tokio::test]
async fn a_kept_connection_that_the_vendor_closed_fails_no_call() {
    assert_eq!(three_calls(STREAM, [CHUNKED, &stream()].concat(), 1).await, ([200; 3], 3));
    assert_eq!(three_calls("/llm", whole(""), 1).await, ([200; 3], 3));
}

#[tokio::test]
async fn informational_responses_are_skipped() {
    let informational = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
    let answer = [informational, CHUNKED, &stream()].concat();
    assert_eq!(three_calls(STREAM, answer, usize::MAX).await.0, [200; 3]);
}

#[tokio::test]
async fn a_truncated_or_unreadable_response_is_a_broken_connection() {
    let half = whole("");
    let half = &half[..half.len() - 5];
    for (path, answer) in [
        ("/llm", half),
        ("/llm", "HTTP/1.1 200"),
        ("/llm", "220 mail ready\r\n\r\n"),
        (STREAM, CHUNKED),
        (STREAM, &CHUNKED[..30]),
        (STREAM, &[CHUNKED, "5\r\n:"].concat()),
    ] {
        let vendor = Vendor::start(answer.to_owned(), 1).await;
        let server = Server::start(&vendor.url, &ONE_ATTEMPT).await;
        let response = server.post(path).send().await.unwrap();
        assert_eq!(response.status(), 502, "{answer}");
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "connection_broken", "{answer}");
    }
}

#[tokio::test]
async fn a_response_head_or_chunk_line_that_never_ends_is_given_up() {
    let endless = "1".repeat(1 << 20);
    for answer in [format!("HTTP/1.1 200 OK\r\nx: {endless}"), format!("{CHUNKED}{endless}")] {
        let vendor = Vendor::start(answer, usize::MAX).await;
        let server = Server::start(&vendor.url, &ONE_ATTEMPT).await;
        let response = timeout(BOUND, server.post(STREAM).send()).await.expect("it is read for ever").unwrap();
        assert_eq!((response.status().as_u16(), error_type(response).await.as_str()), (502, "upstream_failure"));
    }
}

/// A vendor may refuse a request before it has read it. The refusal counts, not the write that cannot go on.
#[tokio::test]
async fn a_rejection_of_an_unread_request_reaches_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let flags = ["--max-body-bytes", "32MiB", "--max-body-memory", "64MiB", "--user-max-body-memory", "64MiB"];
    let server = Server::start(&url, &[&flags[..], &ONE_ATTEMPT].concat()).await;
    // More than the sockets' buffers take: its write would never end.
    let prompt = "x".repeat(30 << 20);
    let body = serde_json::json!({ "model": "m", "messages": [{ "role": "user", "content": prompt }] });
    let call = server.post("/v1/chat/completions").json(&body).send();
    let refusing = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let refusal = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(refusal.as_bytes()).await.unwrap();
        socket
    };
    let both = async { tokio::join!(call, refusing) };
    let (response, _socket) = timeout(BOUND, both).await.expect("the refusal was not heard");
    assert_eq!(response.unwrap().status(), 413);
}
