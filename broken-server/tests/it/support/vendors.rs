//! Vendors for these tests: the mock, one that is unreachable, one that answers with fixed bytes.

use std::net::SocketAddr;
use std::time::Duration;

use mock_llm::MockLlm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A vendor that answers with `tokens` tokens, the first after `ttft`, the others `gap` apart.
pub(crate) async fn vendor(tokens: u32, ttft: Duration, gap: Duration) -> MockLlm {
    MockLlm::builder().tokens(tokens).ttft(ttft).inter_token(gap).start().await.unwrap()
}

/// An address on which nothing listens.
pub(crate) async fn unreachable_vendor() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A vendor that answers every request with the same bytes. Dropping it stops it.
pub(crate) struct ScriptedVendor {
    addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl ScriptedVendor {
    /// Answers with `reply` and then closes the connection, or keeps it open and is silent.
    pub(crate) async fn start(reply: &str, then_close: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let reply = reply.as_bytes().to_owned();
        let accepting = tokio::spawn(async move {
            let mut kept_open = Vec::new();
            while let Ok((mut client, _)) = listener.accept().await {
                read_request(&mut client).await;
                // The client may have disconnected by now.
                let _ = client.write_all(&reply).await;
                if !then_close {
                    kept_open.push(client);
                }
            }
        });
        ScriptedVendor { addr, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for ScriptedVendor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Reads a request to its end: closing a socket with unread bytes resets the connection, and the reply would be lost.
async fn read_request(client: &mut TcpStream) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_complete_request(&request) {
        match client.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&buffer[..length]),
        }
    }
}

fn is_complete_request(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
