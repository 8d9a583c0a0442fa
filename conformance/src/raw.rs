//! Requests as bytes on a socket, for what an HTTP client would hide.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::answer::Answer;
use crate::wait::TIMEOUT;

/// Writes `request` and returns the time until the first byte of the response.
///
/// # Errors
/// When the connection fails, or ends without a response.
pub async fn time_to_first_byte(address: SocketAddr, request: &[u8]) -> anyhow::Result<Duration> {
    let mut socket = TcpStream::connect(address).await?;
    let sent = Instant::now();
    socket.write_all(request).await?;
    let read = timeout(TIMEOUT, socket.read(&mut [0; 1])).await.context("no answer")??;
    ensure!(read == 1, "the connection was closed without an answer");
    Ok(sent.elapsed())
}

/// Writes `request` while reading the response, as a client that goes on uploading after a rejection. The
/// response must have a `Content-Length`.
///
/// # Errors
/// When there is no complete response.
pub async fn exchange(address: SocketAddr, request: Vec<u8>) -> anyhow::Result<Answer> {
    let (mut reader, mut writer) = TcpStream::connect(address).await?.into_split();
    // A server that rejects may close before it has read everything: writing may then fail.
    let upload = tokio::spawn(async move {
        let _ = writer.write_all(&request).await;
        writer
    });
    let mut received = Vec::new();
    let read = async {
        loop {
            if let Some(answer) = parse(&received)? {
                return Ok(answer);
            }
            let read = reader.read_buf(&mut received).await.context("the answer was lost")?;
            ensure!(read > 0, "closed in the middle: {:?}", String::from_utf8_lossy(&received));
        }
    };
    let answer = timeout(TIMEOUT, read).await.context("no answer")?;
    upload.abort();
    answer
}

/// The response in `received`, once it is complete.
fn parse(received: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = str::from_utf8(&received[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?.parse()?;
    if status == 100 {
        // 100 Continue: the response itself follows.
        return parse(&received[end + 4..]);
    }
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').with_context(|| format!("no header: {line}"))?;
        headers.append(name.parse::<HeaderName>()?, value.trim().parse::<HeaderValue>()?);
    }
    let length = headers.get("content-length").with_context(|| format!("no content-length: {head}"))?;
    let length: usize = length.to_str()?.parse()?;
    let body = &received[end + 4..];
    if body.len() < length {
        return Ok(None);
    }
    Ok(Some(Answer { status, headers, body: body[..length].to_vec(), truncated: None }))
}
