//! What bodies of requests may cost before they are parsed.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::{BOUND, STREAM, Server, error_type, eventually};

/// The answer to a request whose body does not arrive, up to the end of its connection.
async fn answer_before_the_body(server: &Server, headers: &str) -> String {
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    let head = format!("POST {STREAM} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", server.addr);
    client.write_all(format!("{head}{headers}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(BOUND, async {
        while !String::from_utf8_lossy(&answer).ends_with("}}") && client.read_buf(&mut answer).await.unwrap() > 0 {}
    });
    read.await.expect("no answer without the body");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_user_over_a_limit_is_rejected_before_the_body_is_read() {
    let never = Duration::from_secs(600);
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(never).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--user-max-in-flight", "1"]).await;
    let running = server.stream().await;
    let answer = answer_before_the_body(&server, "Content-Length: 1000000\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("user_limit"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "the body is in the way of another request: {answer}");
    assert_eq!(server.outcomes("user_limit").await, 1.0, "it is counted as any other");
    drop(running);
}

/// Sends the head of a request and part of its body.
async fn unfinished(server: &Server, bytes: usize) -> TcpStream {
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    let head = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let body = format!("{bytes:x}\r\n{}\r\n", "x".repeat(bytes));
    let request = format!("POST {STREAM} HTTP/1.1\r\nHost: {}\r\n{head}\r\n{body}", server.addr);
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

/// Unfinished bodies reserve memory as their bytes arrive, and one over the budget is rejected at once. A complete body
/// releases its memory when the vendor has answered.
#[tokio::test]
async fn unfinished_bodies_have_a_budget() {
    const BODY_BYTES: usize = 48 * 1024;
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--max-body-memory", "128KiB", "--max-body-bytes", "128KiB"]).await;
    let mut held = Vec::new();
    for bodies in 1..=2 {
        held.push(unfinished(&server, BODY_BYTES).await);
        server.until("request_body_memory_bytes", (bodies * BODY_BYTES) as f64).await;
    }
    let mut refused = unfinished(&server, BODY_BYTES).await;
    let mut answer = String::new();
    timeout(BOUND, refused.read_to_string(&mut answer)).await.expect("its connection stays open").unwrap();
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("\"overloaded\""), "{answer}");
    for header in ["\r\nretry-after: 1\r\n", "\r\nconnection: close\r\n"] {
        assert!(answer.contains(header), "no {header:?} in {answer}");
    }
    assert_eq!(server.outcomes("overloaded").await, 1.0);
    assert_eq!(server.stream().await.status(), 200, "a small one fits");

    drop(held);
    server.until("request_body_memory_bytes", 0.0).await;
    assert_eq!(server.metric("llm_calls_total").await, 2.0, "a body that was never complete is no call");
}

#[tokio::test]
async fn a_users_bodies_count_until_the_vendor_answers() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::from_secs(600)).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--user-max-body-memory", "100KiB", "--max-body-bytes", "80KiB"]).await;
    let large = |path: &str, key: &str| {
        let content = "x".repeat(70 * 1024);
        let body = serde_json::json!({ "model": "m", "messages": [{ "role": "user", "content": content }] });
        server.post_as(path, key).json(&body)
    };
    let waiting = tokio::spawn(large("/v1/chat/completions", "demo-key").send());
    eventually("the vendor is asked", || mock.ledger().active == 1).await;
    let refused = large("/v1/chat/completions", "demo-key").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), error_type(refused).await.as_str()), (429, "user_limit"));
    let other = tokio::spawn(large(STREAM, "demo-key").send());
    eventually("another user's body is taken", || mock.ledger().active == 2).await;
    waiting.abort();
    other.abort();
    server.until("request_body_memory_bytes", 0.0).await;
}

/// The mean latency of the health check, in seconds, for a probe at a random time while some clients send one such body
/// after the other.
async fn health_latency_beside(body: &str) -> f64 {
    const CLIENTS: usize = 6;
    const BODIES: usize = 2;
    let mock = MockLlm::builder().start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let sending = join_all((0..CLIENTS).map(|_| async {
        for _ in 0..BODIES {
            let request = server.post(STREAM).body(body.to_owned());
            assert_eq!(request.send().await.unwrap().status(), 400, "what it ends in is refused");
        }
    }));
    let mut sending = std::pin::pin!(sending);
    let mut latencies = Vec::new();
    loop {
        let asked = Instant::now();
        let mut probe = std::pin::pin!(server.get("/debug/health-async"));
        let sent = tokio::select! {
            _ = &mut sending => true,
            _ = &mut probe => false,
        };
        latencies.push(asked.elapsed());
        if sent {
            break;
        }
    }
    // Weighted by their length: consecutive probes meet a long wait once, a probe at a random time meets it in
    // proportion to its length.
    let seconds = latencies.iter().map(Duration::as_secs_f64);
    seconds.clone().map(|latency| latency * latency).sum::<f64>() / seconds.sum::<f64>()
}

/// Building a tree of such a body takes a hundred times as long as skipping blanks, and all requests would wait.
#[tokio::test]
async fn parsing_many_small_values_delays_others_no_more_than_blanks() {
    const BYTES: usize = 1_000_000;
    const VALUE: &str = r#"{"":0},"#;
    let body =
        |filler: String| format!(r#"{{"messages":[{{"role":"user","content":"hi"}}],"x":[{filler}0],"stream":7}}"#);
    let blanks = body(" ".repeat(BYTES));
    let parts = VALUE.repeat(BYTES / VALUE.len());
    let parts = format!(r#"{{"messages":[{{"role":"user","content":[{parts}{{}}]}}],"stream":7}}"#);
    for values in [body(VALUE.repeat(BYTES / VALUE.len())), parts] {
        // Another test may disturb one of the two; a tree would disturb every time.
        let mut ratios = Vec::new();
        while ratios.iter().all(|ratio| *ratio > 4.0) {
            assert!(ratios.len() < 3, "health waits {ratios:?} times as long beside values as beside blanks");
            ratios.push(health_latency_beside(&values).await / health_latency_beside(&blanks).await);
        }
    }
}
