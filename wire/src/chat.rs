/// Reading a request's fields one by one.
mod fields;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use self::fields::{
    invalid, json_object, parse_bool, parse_include_usage, parse_max_tokens, parse_messages, parse_model,
};
use crate::error::Refusal;

/// Largest `max_tokens` that is taken at its word. No model generates more in one answer, and a
/// bound keeps a typing error from reserving a quota for a day.
pub const MAX_TOKENS_MAX: u32 = 1_000_000;

/// Bytes of English text per token, the vendors' own rule of thumb.
const BYTES_PER_TOKEN: usize = 4;

/// A chat request as all routes here take it: OpenAI's, of which `/chat/stream` and `/llm` need
/// only a part. Fields that are not named here are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRequest {
    /// The conversation, never empty.
    pub messages: Vec<Message>,
    /// The model, where the client named one.
    pub model: Option<String>,
    /// Most tokens to generate, 1 to [`MAX_TOKENS_MAX`]. Also read from `max_completion_tokens`.
    pub max_tokens: Option<u32>,
    /// Whether the answer is to be streamed (OpenAI's routes only).
    pub stream: bool,
    /// Whether a stream is to end with a chunk that has the token counts.
    pub include_usage: bool,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who speaks: one of [`ROLES`].
    pub role: Cow<'static, str>,
    /// The text. Of a list of parts, the text parts joined.
    pub content: String,
}

/// The roles that OpenAI knows.
pub const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

impl ChatRequest {
    /// Reads a request with `messages`. The first field at fault is named in the refusal.
    ///
    /// ```
    /// let asked = wire::chat::ChatRequest::parse(br#"{"messages":[{"role":"user","content":"hi"}]}"#)?;
    /// assert_eq!(asked.messages[0].content, "hi");
    ///
    /// let refused = wire::chat::ChatRequest::parse(br#"{"messages":"hi"}"#).unwrap_err();
    /// assert_eq!(refused.body().error.param.as_deref(), Some("messages"));
    /// # Ok::<(), wire::error::Refusal>(())
    /// ```
    ///
    /// # Errors
    /// [`Refusal::NotJson`], [`Refusal::Missing`] or [`Refusal::Invalid`].
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let fields = json_object(body)?;
        let messages = parse_messages(&fields)?;
        Self::with_messages(&fields, messages)
    }

    /// Reads a request with `messages` or, in their place, a `prompt` (what `POST /llm` takes).
    ///
    /// # Errors
    /// As [`ChatRequest::parse`].
    pub fn parse_prompt_or_messages(body: &[u8]) -> Result<Self, Refusal> {
        let fields = json_object(body)?;
        let messages = match fields.get("prompt") {
            Some(Value::String(prompt)) if !fields.contains_key("messages") => {
                vec![Message { role: "user".into(), content: prompt.clone() }]
            }
            Some(other) if !fields.contains_key("messages") => return Err(invalid("prompt", other, "a string")),
            None if !fields.contains_key("messages") => {
                return Err(Refusal::Missing { param: "messages".into(), expected: "give 'messages' or 'prompt'" });
            }
            _ => parse_messages(&fields)?,
        };
        Self::with_messages(&fields, messages)
    }

    /// The model, for routes on which OpenAI insists on one.
    ///
    /// # Errors
    /// [`Refusal::Missing`] where the client named none.
    pub fn require_model(&self) -> Result<&str, Refusal> {
        self.model
            .as_deref()
            .ok_or(Refusal::Missing { param: "model".into(), expected: "the name of a model (see /v1/models)" })
    }

    /// Tokens of the prompt, estimated at four bytes each; at least one.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        let bytes: usize = self.messages.iter().map(|message| message.content.len()).sum();
        bytes.div_ceil(BYTES_PER_TOKEN).max(1) as u64
    }

    /// This request as the body of a call to the vendor, for the model it names or `default_model`.
    #[must_use]
    pub fn to_vendor_body(&self, default_model: &str, stream: bool) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            model: &'a str,
            messages: &'a [Message],
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
        let body = Body {
            model: self.model.as_deref().unwrap_or(default_model),
            messages: &self.messages,
            max_tokens: self.max_tokens,
            stream,
            stream_options: (stream && self.include_usage).then_some(StreamOptions { include_usage: true }),
        };
        serde_json::to_vec(&body).unwrap_or_else(|error| unreachable!("strings and numbers are valid JSON: {error}"))
    }

    fn with_messages(fields: &Map<String, Value>, messages: Vec<Message>) -> Result<Self, Refusal> {
        Ok(ChatRequest {
            messages,
            model: parse_model(fields)?,
            max_tokens: parse_max_tokens(fields)?,
            stream: parse_bool(fields.get("stream"), "stream")?,
            include_usage: parse_include_usage(fields)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> (String, String) {
        let error = ChatRequest::parse(body.as_bytes()).unwrap_err().body().error;
        (error.param.unwrap_or_default(), error.message)
    }

    #[test]
    fn every_bad_field_is_named() {
        let user = r#"{"role":"user","content":"x"}"#;
        for (body, param) in [
            ("[]".to_owned(), "body"),
            ("{}".to_owned(), "messages"),
            (r#"{"messages":[]}"#.to_owned(), "messages"),
            (r#"{"messages":[1]}"#.to_owned(), "messages[0]"),
            (r#"{"messages":[{"content":"x"}]}"#.to_owned(), "messages[0].role"),
            (r#"{"messages":[{"role":"robot","content":"x"}]}"#.to_owned(), "messages[0].role"),
            (format!(r#"{{"messages":[{user},{{"role":"user"}}]}}"#), "messages[1].content"),
            (format!(r#"{{"messages":[{user}],"model":7}}"#), "model"),
            (format!(r#"{{"messages":[{user}],"max_tokens":0}}"#), "max_tokens"),
            (format!(r#"{{"messages":[{user}],"max_tokens":1000000000000}}"#), "max_tokens"),
            (format!(r#"{{"messages":[{user}],"max_tokens":-1}}"#), "max_tokens"),
            (format!(r#"{{"messages":[{user}],"stream":"yes"}}"#), "stream"),
            (
                format!(r#"{{"messages":[{user}],"stream_options":{{"include_usage":1}}}}"#),
                "stream_options.include_usage",
            ),
        ] {
            assert_eq!(refused(&body).0, param, "{body}");
        }
    }

    #[test]
    fn malformed_json_says_where() {
        let error = ChatRequest::parse(b"{\"messages\":").unwrap_err().body().error;
        assert_eq!(error.code.as_deref(), Some("invalid_json"));
        assert!(error.message.contains("line 1"), "{}", error.message);
    }

    #[test]
    fn what_a_client_sent_is_not_echoed_at_length() {
        let body = format!(r#"{{"messages":"{}"}}"#, "x".repeat(5000));
        assert!(refused(&body).1.len() < 200);
    }

    #[test]
    fn text_parts_are_joined_and_tool_turns_may_be_silent() {
        let asked = ChatRequest::parse(
            br#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
                             {"role":"assistant","content":null}]}"#,
        )
        .unwrap();
        assert_eq!(asked.messages[0].content, "ab");
        assert_eq!(asked.messages[1].content, "");
    }

    #[test]
    fn a_prompt_stands_for_one_message() {
        let asked = ChatRequest::parse_prompt_or_messages(br#"{"prompt":"hi"}"#).unwrap();
        assert_eq!(asked.messages, [Message { role: "user".into(), content: "hi".into() }]);
        assert!(ChatRequest::parse_prompt_or_messages(b"{}").is_err());
        assert!(ChatRequest::parse_prompt_or_messages(br#"{"prompt":1}"#).is_err());
    }

    #[test]
    fn what_the_vendor_gets_is_what_was_asked() {
        let asked =
            ChatRequest::parse(br#"{"messages":[{"role":"user","content":"hi\n\u00e9"}],"max_tokens":5}"#).unwrap();
        let sent = ChatRequest::parse(&asked.to_vendor_body("mock", true)).unwrap();
        assert_eq!((sent.messages, sent.max_tokens, sent.stream), (asked.messages, Some(5), true));
        assert_eq!(sent.model.as_deref(), Some("mock"));
    }
}
