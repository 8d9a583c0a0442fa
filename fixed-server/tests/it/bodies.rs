use std::time::Duration;

use mock_llm::MockLlm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::{BOUND, STREAM, Server};

/// The answer to a request whose body does not come, up to the end of its connection.
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
async fn a_user_over_a_limit_is_refused_before_the_body_is_read() {
    let never = Duration::from_secs(600);
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(never).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--user-max-in-flight", "1"]).await;
    let running = server.stream().await;
    let answer = answer_before_the_body(&server, "Content-Length: 1000000\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("user_limit"), "{answer}");
    assert_eq!(server.outcomes("user_limit").await, 1.0, "it is counted as any other");
    drop(running);
}
