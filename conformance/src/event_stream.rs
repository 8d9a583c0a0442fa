//! An open stream, read event by event.

use std::collections::VecDeque;

use anyhow::{Context, ensure};
use reqwest::{RequestBuilder, Response};
use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};

/// An open stream. Dropping it is a client disconnect: its connection is closed.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    decoder: Decoder,
    read: VecDeque<Event>,
}

impl EventStream {
    /// Sends `request` and waits for the head of the response, which must be 200.
    ///
    /// # Errors
    /// When there is no response, or another status.
    pub async fn open(request: RequestBuilder) -> anyhow::Result<Self> {
        let response = request.send().await.context("no answer")?;
        ensure!(response.status() == 200, "expected 200, got {}: {}", response.status(), response.text().await?);
        Ok(EventStream { response, decoder: Decoder::new(EVENT_BYTES_MAX), read: VecDeque::new() })
    }

    /// The next event, or `None` at the end of the body.
    ///
    /// # Errors
    /// When the body is truncated or is no event stream.
    pub async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        let mut events = Vec::new();
        while self.read.is_empty() {
            let Some(piece) = self.response.chunk().await.context("the body was truncated")? else { return Ok(None) };
            self.decoder.decode(&piece, &mut events)?;
            self.read.extend(events.drain(..));
        }
        Ok(self.read.pop_front())
    }

    /// The remaining events.
    ///
    /// # Errors
    /// As [`EventStream::next`].
    pub async fn rest(mut self) -> anyhow::Result<Vec<Event>> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            events.push(event);
        }
        Ok(events)
    }
}
