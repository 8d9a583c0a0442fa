//! A client that does not read what it is sent, and keeps its connection.

use std::time::Duration;

use conformance::on_limited_servers;
use conformance::running::STREAM_ROUTE;
use conformance::servers::Server;
use conformance::wait;
use mock_llm::MockLlm;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

on_limited_servers!(a_client_that_does_not_read_loses_its_permit);

/// More than all buffers on the way hold.
const TOKENS: u32 = 1_000_000;

async fn a_client_that_does_not_read_loses_its_permit(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(TOKENS).ttft(Duration::ZERO).inter_token(Duration::ZERO).start().await?;
    let running = server.start(&mock.url(), &["--max-in-flight", "1", "--write-timeout", "300ms"]).await?;
    let mut client = TcpStream::connect(running.address()).await?;
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    let length = body.len();
    let head = format!("POST {STREAM_ROUTE} HTTP/1.1\r\nHost: server\r\nContent-Type: application/json\r\n");
    client.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes()).await?;
    running.until_metric("llm_open_streams", 1.0).await?;

    // From here on it reads nothing.
    running.until_metric("write_timeouts_total", 1.0).await?;
    running.until_metric("llm_outcomes_total", 1.0).await?;
    assert_eq!(running.outcomes("disconnected").await?, 1.0);
    assert_eq!(running.metric("llm_concurrent_calls").await?, 0.0, "its permit is released");
    let ended = || mock.ledger().active == 0;
    wait::until("the vendor's call ends", ended, || format!("{:?}", mock.ledger())).await?;
    assert!(mock.ledger().tokens_sent < u64::from(TOKENS), "the vendor was slowed down, and stopped");
    drop(client);
    Ok(())
}
