use std::collections::VecDeque;
use std::time::{Duration, Instant};

use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};
use wire::stream::VendorEvent;

use super::{Limits, Message};
use crate::errors::{Failure, UpstreamFailure};

/// How long the end of the body may take after `[DONE]`. It mostly comes along with it.
const AFTER_DONE: Duration = Duration::from_secs(1);

/// What has come of a stream and was not taken yet. The blocking and the asynchronous client differ
/// in how they read; what the bytes mean, how long to wait for more and when a stream is whole is
/// decided here for both.
#[derive(Debug)]
pub(super) struct Inbox {
    decoder: Decoder,
    arrived: VecDeque<Result<Message, Failure>>,
    limits: Limits,
    asked_at: Instant,
    token_seen: bool,
    /// `[DONE]` has come. Only the end of the body is still waited for, so that the connection can be
    /// used again.
    done: bool,
    ended: bool,
}

impl Inbox {
    /// The inbox of a request that is about to be sent.
    pub(super) fn new(limits: Limits) -> Self {
        Inbox {
            decoder: Decoder::new(EVENT_BYTES_MAX),
            arrived: VecDeque::new(),
            limits,
            asked_at: Instant::now(),
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
    pub(super) fn patience(&self) -> Duration {
        if self.done {
            AFTER_DONE.min(self.limits.idle)
        } else if self.token_seen {
            self.limits.idle
        } else {
            self.limits.first_token.saturating_sub(self.asked_at.elapsed())
        }
    }

    /// Takes the next bytes of the body.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        if self.done {
            // A vendor that has more to say after its last word loses the connection.
            self.ended = true;
            return;
        }
        let mut events = Vec::new();
        let decoded = self.decoder.decode(piece, &mut events);
        for event in events {
            self.arrive(event);
        }
        if let Err(error) = decoded {
            self.fail(UpstreamFailure::Malformed(error.to_string()).into());
        } else if self.patience().is_zero() {
            // Bytes that keep coming are no token.
            self.time_out();
        }
    }

    /// Takes the end of the body.
    pub(super) fn end(&mut self) {
        self.fail(UpstreamFailure::Truncated.into());
    }

    /// Ends the stream with `failure`; after `[DONE]`, without.
    pub(super) fn fail(&mut self, failure: Failure) {
        if !self.done && !self.ended {
            self.arrived.push_back(Err(failure));
        }
        self.ended = true;
    }

    /// Ends the stream because a read took longer than [`Inbox::patience`].
    pub(super) fn time_out(&mut self) {
        let cause = if self.token_seen { UpstreamFailure::IdleTimeout } else { UpstreamFailure::FirstTokenTimeout };
        self.fail(cause.into());
    }

    fn arrive(&mut self, event: Event) {
        if self.done || self.ended {
            return;
        }
        match VendorEvent::read(&event) {
            Ok(VendorEvent::Error(detail)) => self.fail(UpstreamFailure::Reported(detail).into()),
            Ok(content) => {
                self.token_seen |= content.text().is_some();
                self.done = content == VendorEvent::Done;
                self.arrived.push_back(Ok(Message { event, content }));
            }
            Err(error) => self.fail(UpstreamFailure::Malformed(error.to_string()).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
        \"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";

    fn inbox() -> Inbox {
        let second = Duration::from_secs(1);
        Inbox::new(Limits { connect: second, first_token: 100 * second, idle: second })
    }

    /// What comes out of a body of these `pieces`: `token`, `done` or the failure's text.
    fn outcome(pieces: &[&str]) -> Vec<String> {
        let mut inbox = inbox();
        pieces.iter().for_each(|piece| inbox.feed(piece.as_bytes()));
        inbox.end();
        assert!(inbox.ended());
        std::iter::from_fn(|| inbox.take())
            .map(|taken| match taken {
                Ok(message) if message.content == VendorEvent::Done => "done".into(),
                Ok(_) => "token".into(),
                Err(failure) => failure.to_string(),
            })
            .collect()
    }

    #[test]
    fn only_done_makes_a_stream_whole() {
        assert_eq!(outcome(&[TOKEN, "data: [DONE]\n\n"]), ["token", "done"]);
        assert_eq!(outcome(&[TOKEN]), ["token", "the vendor's stream ended without [DONE]"]);
        assert_eq!(outcome(&[]), ["the vendor's stream ended without [DONE]"]);
    }

    #[test]
    fn nothing_counts_after_the_first_failure_or_after_done() {
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
    fn the_limit_is_for_the_first_token_then_for_each_silence() {
        let mut inbox = inbox();
        assert!(inbox.patience() > Duration::from_secs(50));
        inbox.feed(TOKEN.as_bytes());
        assert_eq!(inbox.patience(), Duration::from_secs(1));
        inbox.time_out();
        inbox.take();
        assert!(matches!(inbox.take(), Some(Err(Failure::Upstream(UpstreamFailure::IdleTimeout)))));
    }

    #[test]
    fn bytes_without_a_token_do_not_prolong_the_first_limit() {
        let limit = Duration::ZERO;
        let mut inbox = Inbox::new(Limits { connect: limit, first_token: limit, idle: Duration::from_secs(1) });
        inbox.feed(b": still thinking\n");
        assert!(matches!(inbox.take(), Some(Err(Failure::Upstream(UpstreamFailure::FirstTokenTimeout)))));
    }

    #[test]
    fn after_done_nothing_but_the_end_is_waited_for() {
        let mut inbox = inbox();
        inbox.feed(b"data: [DONE]\n\n");
        assert!(!inbox.ended());
        inbox.feed(b"more");
        assert!(inbox.ended());
    }
}
