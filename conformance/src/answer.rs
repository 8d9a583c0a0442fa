//! What came back, whole: status, headers, body, and whether the body ended as it should.

use anyhow::{Context, ensure};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as far as it came.
    pub body: Vec<u8>,
    /// Why the body did not end as HTTP says, if it did not.
    pub cut: Option<String>,
}

impl Answer {
    /// Sends `request` and reads the answer to its end.
    ///
    /// # Errors
    /// When no answer comes. A body that is cut is no error here: see [`Answer::cut`].
    pub async fn to(request: RequestBuilder) -> anyhow::Result<Self> {
        Ok(Self::read(request.send().await.context("no answer")?).await)
    }

    async fn read(mut response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let cut = loop {
            match response.chunk().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break None,
                Err(error) => break Some(format!("{error:?}")),
            }
        };
        Answer { status, headers, body, cut }
    }

    /// A header, or nothing where it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of an answer that has to be whole, JSON and of this status.
    ///
    /// # Errors
    /// Which of these it is not.
    pub fn json(&self, status: u16) -> anyhow::Result<Value> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.text());
        ensure!(self.cut.is_none(), "the body was cut: {:?}", self.cut);
        let kind = self.header("content-type").unwrap_or("none");
        ensure!(kind.starts_with("application/json"), "expected JSON, the content type is {kind}");
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }

    /// The events of an answer that has to be a stream and to end cleanly.
    ///
    /// # Errors
    /// Which of these it is not.
    pub fn events(&self) -> anyhow::Result<Vec<Event>> {
        ensure!(self.status == 200, "expected 200, got {}: {}", self.status, self.text());
        ensure!(self.cut.is_none(), "the body was cut: {:?}", self.cut);
        let kind = self.header("content-type").unwrap_or("none");
        ensure!(kind.starts_with("text/event-stream"), "expected an event stream, the content type is {kind}");
        let (mut decoder, mut events) = (Decoder::new(EVENT_BYTES_MAX), Vec::new());
        decoder.decode(&self.body, &mut events)?;
        ensure!(!decoder.mid_event(), "the last event has no blank line behind it: {}", self.text());
        Ok(events)
    }
}
