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
    split_characters: bool,
    /// What is left of a frame that was split.
    rest: Bytes,
    ended: bool,
}

type Polled = Poll<Option<Result<Frame<Bytes>, Abort>>>;

impl StreamedAnswer {
    pub(crate) fn new(answer: Answer) -> Self {
        let Answer { generation, head, spec, usage, seed, chunk_bytes, split_characters } = answer;
        StreamedAnswer {
            generation,
            chunks: ChunkRenderer::new(&head, seed, chunk_bytes),
            finish_reason: spec.finish_reason(),
            usage: head.with_usage.then_some(usage),
            head,
            split_characters,
            rest: Bytes::new(),
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
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(up_to_half_a_character(&mut self.rest)))));
        }
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
        self.rest = buffer.into();
        let frame =
            if self.split_characters { up_to_half_a_character(&mut self.rest) } else { std::mem::take(&mut self.rest) };
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    /// Lets the connection send the end of the body in the same write as the last event.
    fn is_end_stream(&self) -> bool {
        self.ended && self.rest.is_empty()
    }
}

/// Takes `text` up to the first byte of its first character of several bytes; all of it if there is none. What is left
/// then begins with the rest of that character.
fn up_to_half_a_character(text: &mut Bytes) -> Bytes {
    let first_bytes = text.iter().position(|byte| *byte >= 0b1100_0000);
    text.split_to(first_bytes.map_or(text.len(), |at| at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_several_bytes_is_split_after_its_first() {
        let text = "a\u{e9}\u{1f980}\u{65e5}b";
        let mut rest = Bytes::from(text);
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            pieces.push(up_to_half_a_character(&mut rest));
        }
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [2, 2, 4, 3]);
        assert_eq!(pieces.concat(), text.as_bytes());
        assert!(pieces[..3].iter().all(|piece| str::from_utf8(piece).is_err()));
    }
}
