use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use wire::completion::Usage;
use wire::sse;

use crate::chunks::{Chunks, Head};
use crate::generation::Generation;

/// A streamed answer. The connection polls it: there is no task and no channel for a stream, and
/// dropping it (the connection does so when its client leaves, also while nothing is sent) is what
/// ends the generation.
pub(crate) struct StreamedAnswer {
    generation: Generation,
    head: Head,
    chunks: Chunks,
    finish_reason: &'static str,
    /// The counts to send at the end, where the client asked for them.
    usage: Option<Usage>,
    ended: bool,
}

impl StreamedAnswer {
    pub(crate) fn new(
        generation: Generation,
        head: Head,
        seed: u64,
        finish_reason: &'static str,
        usage: Option<Usage>,
    ) -> Self {
        let chunks = Chunks::new(&head, seed);
        StreamedAnswer { generation, head, chunks, finish_reason, usage, ended: false }
    }

    /// What follows the last token: the reason, the counts, and the mark of a whole stream.
    fn append_end(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self.head.finish_event(self.finish_reason).as_bytes());
        if let Some(usage) = self.usage {
            buffer.extend_from_slice(self.head.usage_event(usage).as_bytes());
        }
        buffer.extend_from_slice(sse::DONE.as_bytes());
    }
}

impl Body for StreamedAnswer {
    type Data = Bytes;
    type Error = Infallible;

    /// One frame a token; more in one only when the schedule is behind. The role goes out with the
    /// first token, as the real API does it: an earlier chunk would look like a first token.
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let tokens = ready!(self.generation.poll_tokens(cx));
        let mut buffer = Vec::with_capacity(tokens.len() * self.chunks.event_bytes());
        if tokens.start == 0 {
            buffer.extend_from_slice(self.head.role_event().as_bytes());
        }
        for index in tokens.clone() {
            self.chunks.append(index, &mut buffer);
        }
        self.generation.sent(&tokens);
        if self.generation.is_over() {
            self.append_end(&mut buffer);
            self.generation.complete();
            self.ended = true;
        }
        Poll::Ready(Some(Ok(Frame::data(buffer.into()))))
    }

    /// Lets the connection put the end of the body into the same write as the last event.
    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
