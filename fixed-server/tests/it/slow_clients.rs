//! Clients that send or read too slowly, or send too much.

use std::time::Duration;

use mock_llm::MockLlm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::{BOUND, STREAM, Server};

/// A request for a stream that is larger than all buffers on its way.
fn request(addr: std::net::SocketAddr) -> String {
    let body = r#"{"messages":[{"role":"user","content":"hi"}],"max_tokens":1000000}"#;
    let length = body.len();
    format!(
        "POST {STREAM} HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// What was buffered for the client still arrives after the timeout, and is counted.
#[tokio::test]
async fn little_is_buffered_for_a_client_that_does_not_read() {
    let mock = MockLlm::builder().tokens(1_000_000).ttft(Duration::ZERO).inter_token(Duration::ZERO);
    let mock = mock.start().await.unwrap();
    let server = Server::start(&mock.url(), &["--write-timeout", "1s"]).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut client = socket.connect(server.addr).await.unwrap();
    client.write_all(request(server.addr).as_bytes()).await.unwrap();
    server.until("write_timeouts_total", 1.0).await;
    let (mut buffered, mut piece) = (0, vec![0; 64 * 1024]);
    while let Ok(Ok(read @ 1..)) = timeout(BOUND, client.read(&mut piece)).await {
        buffered += read;
    }
    // Its own buffer and the socket's, without the megabytes of the system's default.
    assert!(buffered > 0 && buffered < 512 * 1024, "{buffered} bytes");
}

#[tokio::test]
async fn a_client_that_does_not_send_its_body_times_out() {
    let mock = MockLlm::builder().start().await.unwrap();
    let server = Server::start(&mock.url(), &["--read-timeout", "300ms"]).await;
    let whole = request(server.addr);
    for (sent, expected) in [(whole.len() - 5, "HTTP/1.1 408 "), (20, "")] {
        let mut client = TcpStream::connect(server.addr).await.unwrap();
        client.write_all(&whole.as_bytes()[..sent]).await.unwrap();
        let mut answer = String::new();
        timeout(BOUND, client.read_to_string(&mut answer)).await.expect("its connection stays open").unwrap();
        assert!(answer.starts_with(expected), "{answer}");
        assert_eq!(expected.is_empty(), answer.is_empty(), "half a head has no answer: {answer}");
    }
    assert_eq!(mock.ledger().started, 0);
}

#[tokio::test]
async fn connections_over_the_limit_wait_to_be_accepted() {
    let mock = MockLlm::builder().start().await.unwrap();
    let server = Server::start(&mock.url(), &["--max-connections", "1"]).await;
    let first = TcpStream::connect(server.addr).await.unwrap();
    let probe = async {
        let mut second = TcpStream::connect(server.addr).await.unwrap();
        let head = format!("GET /ready HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.addr);
        second.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        second.read_to_string(&mut answer).await.unwrap();
        answer
    };
    tokio::pin!(probe);
    assert!(timeout(Duration::from_millis(200), &mut probe).await.is_err(), "the first has the only permit");
    drop(first);
    assert!(timeout(BOUND, probe).await.unwrap().starts_with("HTTP/1.1 200 "));
}

/// One header of a megabyte, and ten thousand small ones. Other clients are not affected.
#[tokio::test]
async fn too_many_or_too_large_headers_are_rejected() {
    let mock = MockLlm::builder().start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let large = format!("X-Large: {}\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("{}\r\n", "X-Small: a\r\n".repeat(10_000));
    for bomb in [large, many] {
        let mut client = TcpStream::connect(server.addr).await.unwrap();
        let head = format!("POST {STREAM} HTTP/1.1\r\nHost: {}\r\n{bomb}", server.addr);
        // The server may close before it has read all of it.
        let _ = client.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(BOUND, client.read_to_end(&mut answer)).await.expect("its connection stays open");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert_eq!(server.ready().await, 200);
    }
    server.until("http_connections", 1.0).await;
    assert_eq!(mock.ledger().started, 0);
}
