//! When connections stay open, and when they are closed.

use std::time::Duration;

use anyhow::{Context, ensure};
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_every_server;
use conformance::raw;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, streamed};
use conformance::servers::Server;
use conformance::vendor::{Vendor, script};
use mock_llm::MockLlm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

on_every_server!(
    a_rejection_before_the_body_closes_the_connection,
    a_large_unread_body_does_not_hide_the_rejection,
    a_body_that_never_arrives_times_out,
    a_request_to_upgrade_gets_a_normal_response,
    an_http_1_0_stream_closes_its_connection,
    streams_in_a_row_share_one_connection_to_the_vendor,
    a_connection_is_kept_between_requests_for_the_keep_alive_timeout,
);

const TIMEOUT: Duration = Duration::from_secs(20);

const BODY: &str = r#"{"model":"mock-llm","messages":[{"role":"user","content":"hi"}],"stream":true}"#;

/// Requests that are rejected because of their head: request line and headers.
const REFUSED: [(u16, &str); 6] = [
    (401, "POST /v1/chat/completions HTTP/1.1\r\nContent-Type: application/json"),
    (404, "POST /nope HTTP/1.1\r\nContent-Type: application/json"),
    (405, "PUT /chat/stream HTTP/1.1\r\nContent-Type: application/json"),
    (405, "POST /health HTTP/1.1\r\nContent-Type: application/json"),
    (415, "POST /chat/stream HTTP/1.1\r\nContent-Type: text/plain"),
    (413, "POST /chat/stream HTTP/1.1\r\nContent-Type: application/json"),
];

async fn a_rejection_before_the_body_closes_the_connection(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for (status, head) in REFUSED {
        // The body is not sent, so the server cannot have read it.
        let request = format!("{head}\r\nHost: test\r\nContent-Length: 2000000\r\n\r\n");
        let answer = raw::exchange(running.address(), request.into_bytes()).await.context(head)?;
        refusal(&answer, status).context(head)?;
        let connection = answer.header("connection").unwrap_or("nothing");
        ensure!(connection.eq_ignore_ascii_case("close"), "{head}: Connection says {connection}");
    }
    Ok(())
}

/// As Python's `http.client` does: sends the whole body before it reads the response.
async fn a_large_unread_body_does_not_hide_the_rejection(server: &'static Server) -> anyhow::Result<()> {
    const BYTES: usize = 6_000_000;
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for (status, head) in REFUSED {
        let mut client = TcpStream::connect(running.address()).await?;
        let head_bytes = format!("{head}\r\nHost: test\r\nContent-Length: {BYTES}\r\n\r\n");
        client.write_all(head_bytes.as_bytes()).await?;
        timeout(TIMEOUT, client.write_all(&vec![b' '; BYTES])).await.context(head)?.context(head)?;
        let mut answer = Vec::new();
        // Up to the end of its JSON: the server decides when to close the connection.
        while !answer.ends_with(b"}}") {
            let read = timeout(TIMEOUT, client.read_buf(&mut answer)).await.context(head)?.context(head)?;
            ensure!(read > 0, "{head}: the answer broke off");
        }
        let answer = String::from_utf8_lossy(&answer);
        ensure!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
    Ok(())
}

async fn a_body_that_never_arrives_times_out(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &["--read-timeout", "300ms"]).await?;
    for path in [STREAM_ROUTE, WHOLE_ROUTE] {
        for length in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n{length}\r\n\r\n");
            let answer = raw::exchange(running.address(), head.into_bytes()).await.context(path)?;
            refusal(&answer, 408).with_context(|| format!("{path}, {length}"))?;
        }
    }
    assert!(vendor.calls().is_empty());
    Ok(())
}

async fn a_request_to_upgrade_gets_a_normal_response(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let length = BODY.len();
    let json = "Content-Type: application/json";
    for protocol in ["websocket", "h2c"] {
        let upgrade = format!("Host: test\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Version: 13");
        for (request, status) in [
            (format!("GET /ready HTTP/1.1\r\n{upgrade}\r\n\r\n"), 200),
            (format!("GET /chat/stream HTTP/1.1\r\n{upgrade}\r\n\r\n"), 405),
            (format!("GET /ws HTTP/1.1\r\n{upgrade}\r\n\r\n"), 404),
            (format!("POST /llm HTTP/1.1\r\n{upgrade}\r\n{json}\r\n\r\n"), 400),
            (format!("POST /llm HTTP/1.1\r\n{upgrade}\r\n{json}\r\nContent-Length: {length}\r\n\r\n{BODY}"), 200),
        ] {
            let answer = raw::exchange(running.address(), request.clone().into_bytes()).await;
            let answer = answer.with_context(|| request.clone())?;
            ensure!(answer.status == status, "{request}: {} {}", answer.status, answer.text());
        }
    }
    Ok(())
}

/// In HTTP/1.0 a stream ends with its connection, although `ab -k` and old proxies ask to keep it open.
async fn an_http_1_0_stream_closes_its_connection(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let length = BODY.len();
    for path in [STREAM_ROUTE, COMPLETION_ROUTES[0]] {
        let head = "HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\nAuthorization: Bearer demo-key";
        let request =
            format!("POST {path} {head}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{BODY}");
        let mut client = TcpStream::connect(running.address()).await?;
        client.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        timeout(TIMEOUT, client.read_to_string(&mut answer)).await.context("its connection stays open")??;
        let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
        let head = head.to_ascii_lowercase();
        ensure!(head.contains(" 200 ") && body.ends_with("data: [DONE]\n\n"), "{path}: {answer}");
        ensure!(!head.contains("keep-alive") && !head.contains("chunked"), "{path}: {head}");
        // actix omits the header, because closing is the default in HTTP/1.0.
        let says_so = server.program == "broken-server" || head.contains("\r\nconnection: close");
        ensure!(says_so, "{path}: {head}");
    }
    Ok(())
}

/// A connection whose response was read to its end is reused.
async fn streams_in_a_row_share_one_connection_to_the_vendor(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(3).ttft(Duration::ZERO).inter_token(Duration::ZERO).start().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for _ in 0..6 {
        Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?.events()?;
    }
    assert_eq!((mock.ledger().completed, mock.ledger().connections_opened), (6, 1));
    Ok(())
}

/// A balancer keeps its connections for longer than a head or a body may take, and for less than a server should.
async fn a_connection_is_kept_between_requests_for_the_keep_alive_timeout(
    server: &'static Server,
) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &["--read-timeout", "200ms", "--keep-alive-timeout", "2s"]).await?;
    let mut client = TcpStream::connect(running.address()).await?;
    for _ in 0..2 {
        client.write_all(b"HEAD /live HTTP/1.1\r\nHost: test\r\n\r\n").await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            ensure!(timeout(TIMEOUT, client.read_buf(&mut head)).await?? > 0, "the connection was closed");
        }
        ensure!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
        sleep(Duration::from_millis(500)).await;
    }
    let read = timeout(TIMEOUT, client.read(&mut [0; 64])).await.context("its connection stays open")??;
    ensure!(read == 0, "an idle connection is closed without an answer");
    Ok(())
}
