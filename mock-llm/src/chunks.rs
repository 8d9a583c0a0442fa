//! Renders the chunks of a streamed completion, with as little work per token as possible.

use wire::byte_size::ByteSize;
use wire::completion::{Chunk, ChunkChoice, Delta, Usage};
use wire::sse;

use crate::text;

/// Placeholder of the text in the template of a content chunk. Its last occurrence is replaced, so an id or a model
/// that contains it does no harm.
const TEXT: &str = "\u{1}";
const TEXT_ESCAPED: &str = "\\u0001";

/// The field that pads a chunk, as in OpenAI's, and what follows it at the end of an event.
const PADDING: [&str; 2] = [",\"obfuscation\":\"", "\"}\n\n"];
/// The end of an event, in whose place the padding comes.
const END: &str = "}\n\n";

/// The fields that are the same in all chunks of a completion.
#[derive(Debug, Clone)]
pub(crate) struct ChunkHeader {
    pub(crate) id: String,
    /// In seconds since 1970.
    pub(crate) created: u64,
    pub(crate) model: String,
    /// Whether the client asked for token counts: then all chunks before them have `"usage":null`.
    pub(crate) with_usage: bool,
}

impl ChunkHeader {
    /// The first event of a stream, with the role.
    pub(crate) fn role_event(&self) -> String {
        self.choice_event(Delta { role: Some("assistant".into()), content: Some("".into()) }, None)
    }

    /// The event with the finish reason.
    pub(crate) fn finish_event(&self, reason: &str) -> String {
        self.choice_event(Delta::default(), Some(reason))
    }

    /// The event with the token counts, which has no choices.
    pub(crate) fn usage_event(&self, usage: Usage) -> String {
        sse::data(&Chunk { usage: Some(usage), ..self.chunk(None) })
    }

    /// An event whose JSON is truncated.
    pub(crate) fn malformed_event(&self) -> String {
        let event = self.role_event();
        // A chunk is ASCII up to the model's name.
        let (broken, _) = event.split_once("\"model\"").unwrap_or_else(|| unreachable!("a chunk has a model: {event}"));
        format!("{broken}\n\n")
    }

    fn choice_event(&self, delta: Delta<'_>, reason: Option<&str>) -> String {
        let choice = ChunkChoice { index: 0, delta, finish_reason: reason.map(Into::into) };
        let event = sse::data(&self.chunk(Some(choice)));
        if !self.with_usage {
            return event;
        }
        let open = event.strip_suffix("}\n\n").unwrap_or_else(|| unreachable!("an event is an object: {event}"));
        format!("{open},\"usage\":null}}\n\n")
    }

    fn chunk<'a>(&'a self, choice: Option<ChunkChoice<'a>>) -> Chunk<'a> {
        Chunk {
            id: self.id.as_str().into(),
            object: "chat.completion.chunk".into(),
            created: self.created,
            model: self.model.as_str().into(),
            choices: choice.into_iter().collect(),
            usage: None,
        }
    }
}

/// Renders the content events of one stream from a template: a token costs three copies and no serialising.
pub(crate) struct ChunkRenderer {
    seed: u64,
    before_text: String,
    after_text: String,
    /// Size to which an event is padded.
    padded_bytes: usize,
}

impl ChunkRenderer {
    pub(crate) fn new(head: &ChunkHeader, seed: u64, padded: Option<ByteSize>) -> Self {
        let template = head.choice_event(Delta { role: None, content: Some(TEXT.into()) }, None);
        let (before, after) = template
            .rsplit_once(TEXT_ESCAPED)
            .unwrap_or_else(|| unreachable!("the template contains the placeholder: {template}"));
        let padded_bytes = padded.map_or(0, |padded| padded.0);
        ChunkRenderer { seed, before_text: before.to_owned(), after_text: after.to_owned(), padded_bytes }
    }

    /// Approximate size of an event in bytes.
    pub(crate) fn event_bytes(&self) -> usize {
        (self.before_text.len() + self.after_text.len() + 24).max(self.padded_bytes)
    }

    /// Appends the event of token `index`.
    pub(crate) fn append(&self, index: u32, buffer: &mut Vec<u8>) {
        let begin = buffer.len();
        buffer.extend_from_slice(self.before_text.as_bytes());
        buffer.extend_from_slice(text::escaped_token(self.seed, index).as_bytes());
        buffer.extend_from_slice(self.after_text.as_bytes());
        self.pad(begin, buffer);
    }

    /// Pads the event that begins at `begin`, unless it is already as long.
    fn pad(&self, begin: usize, buffer: &mut Vec<u8>) {
        let [field, end] = PADDING;
        let unpadded = buffer.len() - END.len() + field.len() + end.len() - begin;
        let Some(missing) = self.padded_bytes.checked_sub(unpadded) else { return };
        buffer.truncate(buffer.len() - END.len());
        buffer.extend_from_slice(field.as_bytes());
        buffer.resize(buffer.len() + missing, b'x');
        buffer.extend_from_slice(end.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(with_usage: bool) -> ChunkHeader {
        ChunkHeader { id: "chatcmpl-1".into(), created: 1, model: "m\u{1}\"é".into(), with_usage }
    }

    fn parse(event: &str) -> serde_json::Value {
        serde_json::from_str(event.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap()).unwrap()
    }

    #[test]
    fn rendered_chunks_equal_serialised_ones() {
        for with_usage in [false, true] {
            let head = head(with_usage);
            let chunks = ChunkRenderer::new(&head, 7, None);
            for index in 0..500 {
                let mut rendered = Vec::new();
                chunks.append(index, &mut rendered);
                let content = Some(text::token(7, index).into());
                let serialised = head.choice_event(Delta { role: None, content }, None);
                assert_eq!(String::from_utf8(rendered).unwrap(), serialised);
            }
        }
    }

    #[test]
    fn a_padded_chunk_has_exactly_its_size_and_the_same_token() {
        let head = head(true);
        let chunks = |bytes| ChunkRenderer::new(&head, 7, Some(ByteSize(bytes)));
        for index in 0..500 {
            let mut padded = Vec::new();
            chunks(4096).append(index, &mut padded);
            assert_eq!(padded.len(), 4096);
            let parsed = parse(str::from_utf8(&padded).unwrap());
            assert_eq!(parsed["choices"][0]["delta"]["content"], text::token(7, index));
            assert!(parsed["obfuscation"].is_string() && parsed["usage"].is_null());
        }
        let mut longer = Vec::new();
        chunks(1).append(0, &mut longer);
        assert!(parse(str::from_utf8(&longer).unwrap()).get("obfuscation").is_none());
    }

    #[test]
    fn usage_is_null_in_all_chunks_but_the_last() {
        assert!(!parse(&head(false).role_event()).as_object().unwrap().contains_key("usage"));
        let with_usage = head(true);
        assert!(parse(&with_usage.role_event())["usage"].is_null());
        assert!(parse(&with_usage.finish_event("stop")).as_object().unwrap().contains_key("usage"));
        let counted = parse(&with_usage.usage_event(Usage::new(2, 3)));
        assert_eq!(counted["usage"]["total_tokens"], 5);
        assert_eq!(counted["choices"], serde_json::json!([]));
    }

    #[test]
    fn the_malformed_event_is_complete_but_not_json() {
        let event = head(false).malformed_event();
        let data = event.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(data).is_err());
    }
}
