//! The body of a streamed answer, polled by its connection.

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

/// A streamed answer. The connection polls it: a stream has no task and no channel. When the client disconnects, the
/// connection drops it, even between two tokens, and that ends the generation.
pub(crate) struct StreamedAnswer {
    generation: Generation,
    head: ChunkHeader,
    chunks: ChunkRenderer,
    finish_reason: &'static str,
    /// Token counts to send at the end, if the client asked for them.
    usage: Option<Usage>,
    ended: bool,
}

type Polled = Poll<Option<Result<Frame<Bytes>, Abort>>>;

impl StreamedAnswer {
    pub(crate) fn new(answer: Answer) -> Self {
        let Answer { generation, head, spec, usage, seed, chunk_bytes } = answer;
        StreamedAnswer {
            generation,
            chunks: ChunkRenderer::new(&head, seed, chunk_bytes),
            finish_reason: spec.finish_reason(),
            usage: head.with_usage.then_some(usage),
            head,
            ended: false,
        }
    }

    /// Appends what follows the last token: the finish reason, the token counts, and `[DONE]`.
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
            // The generation stays pending before this step.
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

    /// One token per frame; more only when behind schedule. The role is sent with the first token, as by the real
    /// API: an earlier chunk would look like a first token.
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

    /// Lets the connection send the end of the body in the same write as the last event.
    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
