//! The body of a streamed answer, which its connection polls.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use wire::completion::Usage;
use wire::sse;

use crate::abort::Abort;
use crate::answer::Answer;
use crate::chunks::{ChunkHeader, ChunkRenderer};
use crate::failure::server_error;
use crate::faults::Ending;
use crate::generation::{Generation, Step};

/// A streamed answer. The connection polls it: there is no task and no channel for a stream, and
/// dropping it (the connection does so when its client leaves, also while nothing is sent) is what
/// ends the generation.
pub(crate) struct StreamedAnswer {
    generation: Generation,
    head: ChunkHeader,
    chunks: ChunkRenderer,
    finish_reason: &'static str,
    /// The counts to send at the end, where the client asked for them.
    usage: Option<Usage>,
    ended: bool,
}

type Polled = Poll<Option<Result<Frame<Bytes>, Abort>>>;

impl StreamedAnswer {
    pub(crate) fn new(answer: Answer) -> Self {
        let Answer { generation, head, spec, usage, seed } = answer;
        StreamedAnswer {
            generation,
            chunks: ChunkRenderer::new(&head, seed),
            finish_reason: spec.finish_reason(),
            usage: head.with_usage.then_some(usage),
            head,
            ended: false,
        }
    }

    /// What follows the last token: the reason, the counts, and the mark of a whole stream.
    fn append_end(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self.head.finish_event(self.finish_reason).as_bytes());
        if let Some(usage) = self.usage {
            buffer.extend_from_slice(self.head.usage_event(usage).as_bytes());
        }
        buffer.extend_from_slice(sse::DONE.as_bytes());
    }

    fn end_by(&mut self, ending: Ending) -> Polled {
        self.generation.fail();
        self.ended = true;
        let last = |event: String| Poll::Ready(Some(Ok(Frame::data(event.into()))));
        match ending {
            // The generation itself never gets there.
            Ending::Hang => Poll::Pending,
            Ending::Reset => Poll::Ready(Some(Err(Abort::Reset))),
            Ending::Cut => Poll::Ready(Some(Err(Abort::Close))),
            Ending::Close => Poll::Ready(None),
            Ending::Malformed => last(self.head.malformed_event()),
            Ending::ErrorEvent => last(sse::data(&server_error())),
        }
    }
}

impl Body for StreamedAnswer {
    type Data = Bytes;
    type Error = Abort;

    /// One frame a token; more in one only when the schedule is behind. The role goes out with the
    /// first token, as the real API does it: an earlier chunk would look like a first token.
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        if self.ended {
            return Poll::Ready(None);
        }
        let tokens = match ready!(self.generation.poll_step(cx)) {
            Step::Tokens(tokens) => tokens,
            Step::Ending(ending) => return self.end_by(ending),
        };
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
