//! From the bytes of a stream to its events, for all clients.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway::UpstreamLimits;
use wire::sse::Decoder;
use wire::stream::{CompletionEvent, EndOfBody, Progress};

use super::Message;
use crate::errors::{Failure, UpstreamFailure};

/// How long the end of the body may take after `[DONE]`. Usually they come together.
const AFTER_DONE: Duration = Duration::from_secs(1);

/// Turns bytes into messages, and keeps them until they are taken. The clients differ in how they read. What the bytes
/// mean, how long to wait for more, and whether a stream is complete is decided here for all of them.
#[derive(Debug)]
pub(super) struct EventDecoder {
    decoder: Decoder,
    progress: Progress,
    arrived: VecDeque<Result<Message, Failure>>,
    limits: UpstreamLimits,
    started_at: Instant,
    token_seen: bool,
    /// `[DONE]` has come. Then only the end of the body is read, so that the connection can be used again.
    done: bool,
    ended: bool,
}

impl EventDecoder {
    /// The decoder of a request that is sent now.
    pub(super) fn new(limits: UpstreamLimits) -> Self {
        EventDecoder {
            decoder: Decoder::new(limits.max_event_bytes.get()),
            progress: Progress::default(),
            arrived: VecDeque::new(),
            limits,
            started_at: Instant::now(),
            token_seen: false,
            done: false,
            ended: false,
        }
    }

    /// The next message, or the failure that ended the stream.
    pub(super) fn take(&mut self) -> Option<Result<Message, Failure>> {
        self.arrived.pop_front()
    }

    /// Whether nothing more will come.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// How long the next read may take.
    pub(super) fn read_timeout(&self) -> Duration {
        if self.done {
            AFTER_DONE.min(self.limits.idle_timeout)
        } else if self.token_seen {
            self.limits.idle_timeout
        } else {
            self.limits.first_token_timeout.saturating_sub(self.started_at.elapsed())
        }
    }

    /// Decodes the next bytes of the body.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        if self.done {
            // The connection of a vendor that sends more after `[DONE]` is closed.
            self.ended = true;
            return;
        }
        let mut rest = piece;
        // Comments and blank lines are passed on with the event after them, or when no event follows.
        let mut between = Vec::new();
        while !self.done && !self.ended {
            match self.decoder.next_part(&mut rest) {
                Ok(Some(part)) => {
                    between.extend_from_slice(part.raw);
                    match part.event.as_ref().map(CompletionEvent::read) {
                        Some(Ok(CompletionEvent::Error(failure))) => {
                            self.fail(UpstreamFailure::Reported(failure).into())
                        }
                        Some(Ok(event)) => self.arrive(std::mem::take(&mut between), Some(event)),
                        Some(Err(error)) => self.fail(UpstreamFailure::Malformed(error.to_string()).into()),
                        None => self.progress.note_lines(part.raw),
                    }
                }
                Ok(None) => break,
                Err(error) => self.fail(UpstreamFailure::from(error).into()),
            }
        }
        if self.done || self.ended {
            return;
        }
        if !between.is_empty() {
            self.arrive(between, None);
        }
        if self.read_timeout().is_zero() {
            // Bytes have come, but no token in time.
            self.time_out();
        }
    }

    /// Takes the regular end of the body.
    pub(super) fn end(&mut self) {
        if self.done || self.ended {
            self.ended = true;
            return;
        }
        let EndOfBody { events, raw, fault } = self.progress.end(&mut self.decoder);
        let mut raw = Bytes::from(raw);
        let last = events.len().saturating_sub(1);
        for (number, event) in events.into_iter().enumerate() {
            // There can be two events; all bytes go with the last.
            let raw = if number == last { std::mem::take(&mut raw) } else { Bytes::new() };
            self.arrived.push_back(Ok(Message { raw, event: Some(event) }));
        }
        if let Some(fault) = fault {
            self.fail(UpstreamFailure::from(fault).into());
        }
        self.ended = true;
    }

    /// Ends the stream with `failure`, or without one after `[DONE]`.
    pub(super) fn fail(&mut self, failure: Failure) {
        if !self.done && !self.ended {
            self.arrived.push_back(Err(failure));
        }
        self.ended = true;
    }

    /// Ends the stream because a read took longer than [`EventDecoder::read_timeout`].
    pub(super) fn time_out(&mut self) {
        let cause = if self.token_seen { UpstreamFailure::IdleTimeout } else { UpstreamFailure::FirstTokenTimeout };
        self.fail(cause.into());
    }

    fn arrive(&mut self, raw: Vec<u8>, event: Option<CompletionEvent>) {
        if let Some(event) = &event {
            self.progress.note(event);
            self.token_seen |= event.has_output();
            self.done = self.progress.is_done();
        }
        self.arrived.push_back(Ok(Message { raw: raw.into(), event }));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use resilience::Retryable;

    use super::*;

    const TOKEN: &str = "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
        \"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";

    fn decoder() -> EventDecoder {
        let second = Duration::from_secs(1);
        decoder_with(100 * second, second)
    }

    fn decoder_with(first_token_timeout: Duration, idle_timeout: Duration) -> EventDecoder {
        let connect_timeout = first_token_timeout;
        let max_event_bytes = NonZeroUsize::new(1024).unwrap();
        EventDecoder::new(UpstreamLimits { connect_timeout, first_token_timeout, idle_timeout, max_event_bytes })
    }

    /// The messages of a body in these `pieces`: `token`, `done` or the failure's text.
    fn outcome(pieces: &[&str]) -> Vec<String> {
        let mut events = decoder();
        pieces.iter().for_each(|piece| events.feed(piece.as_bytes()));
        events.end();
        assert!(events.ended());
        std::iter::from_fn(|| events.take())
            .map(|taken| match taken {
                Ok(message) if message.is_done() => "done".into(),
                Ok(_) => "token".into(),
                Err(failure) => failure.to_string(),
            })
            .collect()
    }

    #[test]
    fn a_stream_is_complete_with_done_or_a_finish_reason() {
        const TRUNCATED: &str = "the vendor's stream was truncated: neither [DONE] nor a finish reason";
        const STOP: &str = "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";
        assert_eq!(outcome(&[TOKEN, "data: [DONE]\n\n"]), ["token", "done"]);
        assert_eq!(outcome(&[TOKEN, "data: [DONE]\n"]), ["token", "done"]);
        assert_eq!(outcome(&[TOKEN, STOP]), ["token", "token", "done"]);
        assert_eq!(outcome(&[TOKEN, STOP.trim_end()]), ["token", "token", "done"]);
        assert_eq!(outcome(&[TOKEN]), ["token", TRUNCATED]);
        assert_eq!(outcome(&[]), [TRUNCATED]);
    }

    #[test]
    fn every_byte_is_kept_however_the_stream_is_split() {
        let stream = [": ping\n\nid: 1\n", TOKEN, "event: x\ndata: {}\n\n: pong\n\ndata:\n\ndata: [DONE]\n\n"].concat();
        for size in [1, 2, 3, 7, 64, stream.len()] {
            let mut events = decoder();
            stream.as_bytes().chunks(size).for_each(|piece| events.feed(piece));
            let raw: Vec<_> = std::iter::from_fn(|| events.take()).map(|taken| taken.unwrap().raw).collect();
            assert_eq!(raw.concat(), stream.as_bytes(), "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_over_the_limit_is_a_failure_and_not_retried() {
        let mut events = decoder();
        events.feed(&[b'x'; 2000]);
        let failure = events.take().unwrap().unwrap_err();
        assert!(matches!(failure, Failure::Upstream(UpstreamFailure::TooLarge(_))), "{failure}");
        assert!(!failure.is_retryable());
    }

    #[test]
    fn nothing_is_read_after_a_failure_or_done() {
        let garbage = outcome(&[TOKEN, "data: garbage\n\n", TOKEN]);
        assert_eq!(garbage.len(), 2, "{garbage:?}");
        assert!(garbage[1].contains("cannot be read"), "{garbage:?}");
        assert_eq!(outcome(&["data: [DONE]\n\n", TOKEN, "data: garbage\n\n"]), ["done"]);
    }

    #[test]
    fn an_error_event_is_a_failure() {
        let error = "event: error\ndata: {\"error\":{\"message\":\"no GPU\",\"type\":\"server_error\"}}\n\n";
        assert_eq!(outcome(&[TOKEN, error]), ["token", "the vendor reported an error: no GPU (server_error)"]);
    }

    #[test]
    fn after_the_first_token_the_idle_timeout_holds() {
        let mut events = decoder();
        assert!(events.read_timeout() > Duration::from_secs(50));
        events.feed(TOKEN.as_bytes());
        assert_eq!(events.read_timeout(), Duration::from_secs(1));
        events.time_out();
        events.take();
        assert!(matches!(events.take(), Some(Err(Failure::Upstream(UpstreamFailure::IdleTimeout)))));
    }

    #[test]
    fn comments_do_not_extend_the_first_token_timeout() {
        let limit = Duration::ZERO;
        let mut events = decoder_with(limit, Duration::from_secs(1));
        events.feed(b": still thinking\n");
        assert!(events.take().is_some_and(|taken| taken.is_ok_and(|message| message.event.is_none())));
        assert!(matches!(events.take(), Some(Err(Failure::Upstream(UpstreamFailure::FirstTokenTimeout)))));
    }

    #[test]
    fn after_done_only_the_end_is_read() {
        let mut events = decoder();
        events.feed(b"data: [DONE]\n\n");
        assert!(!events.ended());
        events.feed(b"more");
        assert!(events.ended());
    }
}
