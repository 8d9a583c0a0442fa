//! A stream under way, read event by event.

use std::collections::VecDeque;

use anyhow::{Context, ensure};
use reqwest::{RequestBuilder, Response};
use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};

/// A stream under way. Dropped means that the client leaves: its connection is closed.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    decoder: Decoder,
    read: VecDeque<Event>,
}

impl EventStream {
    /// Sends `request` and waits for the head of its answer, which has to be 200.
    ///
    /// # Errors
    /// When no answer comes, or another status.
    pub async fn open(request: RequestBuilder) -> anyhow::Result<Self> {
        let response = request.send().await.context("no answer")?;
        ensure!(response.status() == 200, "expected 200, got {}: {}", response.status(), response.text().await?);
        Ok(EventStream { response, decoder: Decoder::new(EVENT_BYTES_MAX), read: VecDeque::new() })
    }

    /// The next event, or nothing at the end of the body.
    ///
    /// # Errors
    /// When the body is cut or its bytes are no events.
    pub async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        let mut events = Vec::new();
        while self.read.is_empty() {
            let Some(piece) = self.response.chunk().await.context("the body was cut")? else { return Ok(None) };
            self.decoder.decode(&piece, &mut events)?;
            self.read.extend(events.drain(..));
        }
        Ok(self.read.pop_front())
    }

    /// The events from here to the end of the body.
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
