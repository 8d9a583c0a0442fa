//! A complete response: status, headers, body, and whether the body was truncated.

use anyhow::{Context, ensure};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};

/// A response, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as far as it was received.
    pub body: Vec<u8>,
    /// Why the body ended before its HTTP framing did, if so.
    pub truncated: Option<String>,
}

impl Answer {
    /// Sends `request` and reads the answer to its end.
    ///
    /// # Errors
    /// When there is no response. A truncated body is no error here: see [`Answer::truncated`].
    pub async fn to(request: RequestBuilder) -> anyhow::Result<Self> {
        Ok(Self::read(request.send().await.context("no answer")?).await)
    }

    async fn read(mut response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let truncated = loop {
            match response.chunk().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break None,
                Err(error) => break Some(format!("{error:?}")),
            }
        };
        Answer { status, headers, body, truncated }
    }

    /// A header, or an empty text when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of a response, which must be complete, JSON and of this status.
    ///
    /// # Errors
    /// Which of these does not hold.
    pub fn json(&self, status: u16) -> anyhow::Result<Value> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.text());
        ensure!(self.truncated.is_none(), "the body was truncated: {:?}", self.truncated);
        let kind = self.header("content-type").unwrap_or("none");
        ensure!(kind.starts_with("application/json"), "expected JSON, the content type is {kind}");
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }

    /// The events of a response, which must be a stream that ends cleanly.
    ///
    /// # Errors
    /// Which of these does not hold.
    pub fn events(&self) -> anyhow::Result<Vec<Event>> {
        ensure!(self.status == 200, "expected 200, got {}: {}", self.status, self.text());
        ensure!(self.truncated.is_none(), "the body was truncated: {:?}", self.truncated);
        let kind = self.header("content-type").unwrap_or("none");
        ensure!(kind.starts_with("text/event-stream"), "expected an event stream, the content type is {kind}");
        let (mut decoder, mut events) = (Decoder::new(EVENT_BYTES_MAX), Vec::new());
        decoder.decode(&self.body, &mut events)?;
        ensure!(!decoder.mid_event(), "the last event has no blank line behind it: {}", self.text());
        Ok(events)
    }
}
