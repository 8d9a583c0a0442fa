use wire::completion::{Chunk, ChunkChoice, Delta, Usage};
use wire::sse;

use crate::text;

/// Stands for the text in the pattern of a content chunk. No id or model can hold it: it is a
/// control character, which JSON escapes.
const TEXT: &str = "\u{1}";
const TEXT_ESCAPED: &str = "\\u0001";

/// The events of one stream, rendered as far as they do not change from token to token: a token
/// then costs two copies and its text, no serialising.
pub(crate) struct Chunks {
    seed: u64,
    before_text: String,
    after_text: String,
}

/// What names a completion in all its chunks.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
}

impl Head {
    /// The event that opens a stream: who speaks.
    pub(crate) fn role_event(&self) -> String {
        let delta = Delta { role: Some("assistant".into()), content: Some("".into()) };
        self.event(Some((delta, None)), None)
    }

    /// The event that says why the answer ended.
    pub(crate) fn finish_event(&self, reason: &str) -> String {
        self.event(Some((Delta::default(), Some(reason))), None)
    }

    /// The event with the token counts, which has no choice.
    pub(crate) fn usage_event(&self, usage: Usage) -> String {
        self.event(None, Some(usage))
    }

    fn event(&self, choice: Option<(Delta<'_>, Option<&str>)>, usage: Option<Usage>) -> String {
        let choice =
            choice.map(|(delta, reason)| ChunkChoice { index: 0, delta, finish_reason: reason.map(Into::into) });
        sse::data(&Chunk {
            id: self.id.as_str().into(),
            object: "chat.completion.chunk".into(),
            created: self.created,
            model: self.model.as_str().into(),
            choices: choice.into_iter().collect(),
            usage,
        })
    }
}

impl Chunks {
    pub(crate) fn new(head: &Head, seed: u64) -> Self {
        let pattern = head.event(Some((Delta { role: None, content: Some(TEXT.into()) }, None)), None);
        let (before, after) = pattern
            .rsplit_once(TEXT_ESCAPED)
            .unwrap_or_else(|| unreachable!("the pattern was made with the mark: {pattern}"));
        Chunks { seed, before_text: before.to_owned(), after_text: after.to_owned() }
    }

    /// Bytes that an event takes, about.
    pub(crate) fn event_bytes(&self) -> usize {
        self.before_text.len() + self.after_text.len() + 24
    }

    /// Appends the event of token `index`.
    pub(crate) fn append(&self, index: u32, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self.before_text.as_bytes());
        buffer.extend_from_slice(text::escaped_token(self.seed, index).as_bytes());
        buffer.extend_from_slice(self.after_text.as_bytes());
    }
}
