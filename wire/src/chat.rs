//! The chat request that a client sends, validated field by field.

mod fields;
mod raw;
mod texts;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use self::fields::Reader;
pub use self::fields::{MAX_TOKENS_MAX, ROLES};
use self::raw::{invalid, is_string, text_bytes};
use crate::error::RequestError;
use crate::json::{Members, Raw};

/// Bytes of English text per token: the vendors' own rule of thumb.
const BYTES_PER_TOKEN: usize = 4;

/// The parts of a chat request on which a program here decides. The messages stay as the client wrote them: they are
/// validated and passed on without being deserialized. Other fields are ignored.
#[derive(Debug, Clone)]
pub struct ChatRequest<'a> {
    /// The list of messages as the client wrote it, or made from a prompt.
    messages: Cow<'a, RawValue>,
    /// Bytes of the messages whose content is a string.
    text_bytes: usize,
    /// The contents that are lists of parts, parsed only when tokens are counted.
    parts: Vec<Raw<'a>>,
    /// The model, if the client named one.
    pub model: Option<Cow<'a, str>>,
    /// Most tokens to generate, 1 to [`MAX_TOKENS_MAX`], if limited. Also read from `max_completion_tokens`.
    pub max_tokens: Option<u32>,
    /// Whether to stream the answer (OpenAI's routes only).
    pub stream: bool,
    /// Whether a stream should end with a chunk that has the token counts.
    pub include_usage: bool,
}

/// The fields that are used.
const FIELDS: [&str; 7] =
    ["messages", "prompt", "model", "max_completion_tokens", "max_tokens", "stream", "stream_options"];

/// Their values, if present.
type Fields<'a> = Members<'a, { FIELDS.len() }>;

/// Tokens of a prompt with this many bytes of text, estimated at four bytes per token; at least one.
#[must_use]
pub fn estimated_tokens(text_bytes: usize) -> u64 {
    text_bytes.div_ceil(BYTES_PER_TOKEN).max(1) as u64
}

impl<'a> ChatRequest<'a> {
    /// Parses a request with `messages` for a server's own routes. The error names the first invalid field.
    ///
    /// ```
    /// let request = wire::chat::ChatRequest::parse(br#"{"messages":[{"role":"user","content":"hi"}]}"#)?;
    /// assert_eq!(request.prompt_tokens(), 1);
    ///
    /// let error = wire::chat::ChatRequest::parse(br#"{"messages":"hi"}"#).unwrap_err();
    /// assert_eq!(error.body().error.param.as_deref(), Some("messages"));
    /// # Ok::<(), wire::error::RequestError>(())
    /// ```
    ///
    /// # Errors
    /// [`RequestError::InvalidJson`], [`RequestError::MissingField`] or [`RequestError::InvalidValue`].
    pub fn parse(body: &'a [u8]) -> Result<Self, RequestError> {
        Self::read(body, Reader::Own)
    }

    /// Parses a request whose body is passed on to the vendor unchanged. Rejects only what the server itself needs and
    /// cannot use. A `max_tokens` of -1 or 100.0 counts as no known limit, and roles that OpenAI does not have are
    /// accepted.
    ///
    /// # Errors
    /// As [`ChatRequest::parse`].
    pub fn parse_relayed(body: &'a [u8]) -> Result<Self, RequestError> {
        Self::read(body, Reader::Relay)
    }

    /// Parses a request as a vendor does: a `max_tokens` of -1 is no limit, and 100.0 is 100.
    ///
    /// # Errors
    /// As [`ChatRequest::parse`].
    pub fn parse_as_vendor(body: &'a [u8]) -> Result<Self, RequestError> {
        Self::read(body, Reader::Vendor)
    }

    /// Parses a request with `messages` or, instead, a `prompt` (what `POST /llm` accepts).
    ///
    /// # Errors
    /// As [`ChatRequest::parse`].
    pub fn parse_prompt_or_messages(body: &'a [u8]) -> Result<Self, RequestError> {
        let fields = raw::object(body, &FIELDS)?;
        match fields {
            [None, Some(prompt), ..] if is_string(prompt) => {
                let message = format!(r#"[{{"role":"user","content":{}}}]"#, prompt.get());
                let messages = RawValue::from_string(message)
                    .unwrap_or_else(|error| unreachable!("a parsed string is valid JSON: {error}"));
                Self::with(Cow::Owned(messages), (text_bytes(prompt), Vec::new()), fields, Reader::Own)
            }
            [None, Some(other), ..] => Err(invalid("prompt", other, "a string")),
            [None, None, ..] => {
                Err(RequestError::MissingField { param: "messages".into(), expected: "give 'messages' or 'prompt'" })
            }
            [Some(_), ..] => Self::of(fields, Reader::Own),
        }
    }

    /// The model, for routes on which OpenAI requires one.
    ///
    /// # Errors
    /// [`RequestError::MissingField`] if the client named none.
    pub fn require_model(&self) -> Result<&str, RequestError> {
        self.model.as_deref().ok_or(RequestError::MissingField {
            param: "model".into(),
            expected: "the name of a model (see /v1/models)",
        })
    }

    /// Tokens of the prompt, estimated at four bytes per token; at least one.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        estimated_tokens(self.text_bytes + self.parts.iter().copied().map(fields::parts_text).sum::<usize>())
    }

    /// Calls `on_text` with each text of its prompt, with escapes decoded.
    pub fn each_text(&self, on_text: impl FnMut(&[u8])) {
        texts::each_text(&self.messages, on_text);
    }

    /// The body of a call to the vendor, for the named model or `default_model`. The messages are unchanged.
    #[must_use]
    pub fn to_upstream_body(&self, default_model: &str, stream: bool) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            model: &'a str,
            messages: &'a RawValue,
            #[serde(skip_serializing_if = "Option::is_none")]
            max_tokens: Option<u32>,
            stream: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            stream_options: Option<StreamOptions>,
        }
        #[derive(Serialize)]
        struct StreamOptions {
            include_usage: bool,
        }
        let model = self.model.as_deref().unwrap_or(default_model);
        let body = Body {
            model,
            messages: &self.messages,
            max_tokens: self.max_tokens,
            stream,
            stream_options: (stream && self.include_usage).then_some(StreamOptions { include_usage: true }),
        };
        // Bytes of everything except the messages and the model.
        const AROUND_BYTES: usize = 128;
        let mut bytes = Vec::with_capacity(self.messages.get().len() + model.len() + AROUND_BYTES);
        serde_json::to_writer(&mut bytes, &body)
            .unwrap_or_else(|error| unreachable!("strings and numbers are valid JSON: {error}"));
        bytes
    }

    fn read(body: &'a [u8], reader: Reader) -> Result<Self, RequestError> {
        Self::of(raw::object(body, &FIELDS)?, reader)
    }

    fn of(fields: Fields<'a>, reader: Reader) -> Result<Self, RequestError> {
        let mut parts = Vec::new();
        let (messages, text_bytes) = fields::messages(fields[0], &mut parts, reader)?;
        Self::with(Cow::Borrowed(messages), (text_bytes, parts), fields, reader)
    }

    /// The request of these messages and the other fields.
    fn with(
        messages: Cow<'a, RawValue>,
        (text_bytes, parts): (usize, Vec<Raw<'a>>),
        [_, _, model, newer_max, max, stream, options]: Fields<'a>,
        reader: Reader,
    ) -> Result<Self, RequestError> {
        Ok(ChatRequest {
            messages,
            text_bytes,
            parts,
            model: fields::model(model)?,
            max_tokens: fields::max_tokens([newer_max, max], reader)?,
            stream: fields::stream(stream)?,
            include_usage: fields::include_usage(options, reader)?,
        })
    }
}

#[cfg(test)]
mod tests;
