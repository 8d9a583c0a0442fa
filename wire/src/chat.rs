//! What a client asks for, checked field by field.

mod fields;
mod raw;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use self::fields::Reader;
pub use self::fields::{MAX_TOKENS_MAX, ROLES};
use self::raw::{invalid, is_string, text_bytes};
use crate::error::RequestError;
use crate::json::{Members, Raw};

/// Bytes of English text per token, the vendors' own rule of thumb.
const BYTES_PER_TOKEN: usize = 4;

/// A chat request, as far as a program here decides by it. The messages stay the text that came: they are
/// looked through and passed on, and never taken apart. Fields that are not named here are ignored.
#[derive(Debug, Clone)]
pub struct ChatRequest<'a> {
    /// The list of messages as it came, or as it is made of a prompt.
    messages: Cow<'a, RawValue>,
    /// Bytes of the text of messages that are one text.
    text_bytes: usize,
    /// The parts of the others. They are looked into only where the text is counted.
    parts: Vec<Raw<'a>>,
    /// The model, where the client named one.
    pub model: Option<Cow<'a, str>>,
    /// Most tokens to generate, 1 to [`MAX_TOKENS_MAX`], where there is such a limit. Also read from
    /// `max_completion_tokens`.
    pub max_tokens: Option<u32>,
    /// Whether the answer is to be streamed (OpenAI's routes only).
    pub stream: bool,
    /// Whether a stream is to end with a chunk that has the token counts.
    pub include_usage: bool,
}

/// The fields that are read.
const FIELDS: [&str; 7] =
    ["messages", "prompt", "model", "max_completion_tokens", "max_tokens", "stream", "stream_options"];

/// Their values, where they are there.
type Fields<'a> = Members<'a, { FIELDS.len() }>;

impl<'a> ChatRequest<'a> {
    /// Reads a request with `messages` for a route of a server's own. The first field at fault is named in the
    /// refusal.
    ///
    /// ```
    /// let asked = wire::chat::ChatRequest::parse(br#"{"messages":[{"role":"user","content":"hi"}]}"#)?;
    /// assert_eq!(asked.prompt_tokens(), 1);
    ///
    /// let refused = wire::chat::ChatRequest::parse(br#"{"messages":"hi"}"#).unwrap_err();
    /// assert_eq!(refused.body().error.param.as_deref(), Some("messages"));
    /// # Ok::<(), wire::error::RequestError>(())
    /// ```
    ///
    /// # Errors
    /// [`RequestError::InvalidJson`], [`RequestError::MissingField`] or [`RequestError::InvalidValue`].
    pub fn parse(body: &'a [u8]) -> Result<Self, RequestError> {
        Self::read(body, Reader::Own)
    }

    /// Reads a request whose body goes on to the vendor as it came. Refused is only what the server itself needs
    /// and cannot read: a `max_tokens` of -1 or 100.0 counts as no limit that is known, and a role that OpenAI does
    /// not have as a role.
    ///
    /// # Errors
    /// As [`ChatRequest::parse`].
    pub fn parse_relayed(body: &'a [u8]) -> Result<Self, RequestError> {
        Self::read(body, Reader::Relay)
    }

    /// Reads a request as a vendor does that answers it: -1 in `max_tokens` is no limit, 100.0 is 100.
    ///
    /// # Errors
    /// As [`ChatRequest::parse`].
    pub fn parse_as_vendor(body: &'a [u8]) -> Result<Self, RequestError> {
        Self::read(body, Reader::Vendor)
    }

    /// Reads a request with `messages` or, in their place, a `prompt` (what `POST /llm` takes).
    ///
    /// # Errors
    /// As [`ChatRequest::parse`].
    pub fn parse_prompt_or_messages(body: &'a [u8]) -> Result<Self, RequestError> {
        let fields = raw::object(body, &FIELDS)?;
        match fields {
            [None, Some(prompt), ..] if is_string(prompt) => {
                let message = format!(r#"[{{"role":"user","content":{}}}]"#, prompt.get());
                let messages = RawValue::from_string(message)
                    .unwrap_or_else(|error| unreachable!("a string that was read is valid JSON: {error}"));
                Self::with(Cow::Owned(messages), (text_bytes(prompt), Vec::new()), fields, Reader::Own)
            }
            [None, Some(other), ..] => Err(invalid("prompt", other, "a string")),
            [None, None, ..] => {
                Err(RequestError::MissingField { param: "messages".into(), expected: "give 'messages' or 'prompt'" })
            }
            [Some(_), ..] => Self::of(fields, Reader::Own),
        }
    }

    /// The model, for routes on which OpenAI insists on one.
    ///
    /// # Errors
    /// [`RequestError::MissingField`] where the client named none.
    pub fn require_model(&self) -> Result<&str, RequestError> {
        self.model.as_deref().ok_or(RequestError::MissingField {
            param: "model".into(),
            expected: "the name of a model (see /v1/models)",
        })
    }

    /// Tokens of the prompt, estimated at four bytes each; at least one.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        let bytes = self.text_bytes + self.parts.iter().copied().map(fields::parts_text).sum::<usize>();
        bytes.div_ceil(BYTES_PER_TOKEN).max(1) as u64
    }

    /// This request as the body of a call to the vendor, for the model it names or `default_model`. The messages
    /// are as they came.
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
        // The bytes of all names and flags around the two that can be long.
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
