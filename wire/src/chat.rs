use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

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
        }
        let body = Body {
            model: self.model.as_deref().unwrap_or(default_model),
            messages: &self.messages,
            max_tokens: self.max_tokens,
            stream,
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

fn json_object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(invalid("body", &other, "a JSON object")),
        Err(error) => Err(Refusal::NotJson(error.to_string())),
    }
}

fn parse_messages(fields: &Map<String, Value>) -> Result<Vec<Message>, Refusal> {
    const EXPECTED: &str = "a list of at least one {\"role\", \"content\"}";
    match fields.get("messages") {
        None => Err(Refusal::Missing { param: "messages".into(), expected: EXPECTED }),
        Some(Value::Array(list)) if !list.is_empty() => {
            list.iter().enumerate().map(|(index, value)| parse_message(index, value)).collect()
        }
        Some(other) => Err(invalid("messages", other, EXPECTED)),
    }
}

fn parse_message(index: usize, value: &Value) -> Result<Message, Refusal> {
    let at = format!("messages[{index}]");
    let Value::Object(fields) = value else {
        return Err(invalid(at, value, "an object with \"role\" and \"content\""));
    };
    let role = match fields.get("role") {
        None => return Err(Refusal::Missing { param: format!("{at}.role"), expected: "who speaks, such as \"user\"" }),
        Some(value) => value
            .as_str()
            .and_then(|name| ROLES.into_iter().find(|role| *role == name))
            .ok_or_else(|| invalid(format!("{at}.role"), value, format!("one of {}", ROLES.join(", "))))?,
    };
    let param = format!("{at}.content");
    let content = match fields.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<String>()
        }
        // An assistant's turn that only calls a tool has no text.
        None | Some(Value::Null) if role == "assistant" => String::new(),
        None => return Err(Refusal::Missing { param, expected: "the text of the message" }),
        Some(other) => return Err(invalid(param, other, "a string or a list of parts")),
    };
    Ok(Message { role: role.into(), content })
}

fn parse_model(fields: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    match fields.get("model") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if !name.is_empty() => Ok(Some(name.clone())),
        Some(other) => Err(invalid("model", other, "a non-empty string")),
    }
}

fn parse_max_tokens(fields: &Map<String, Value>) -> Result<Option<u32>, Refusal> {
    for name in ["max_completion_tokens", "max_tokens"] {
        let value = match fields.get(name) {
            None | Some(Value::Null) => continue,
            Some(value) => value,
        };
        let tokens = value.as_u64().and_then(|tokens| u32::try_from(tokens).ok());
        return match tokens {
            Some(tokens @ 1..=MAX_TOKENS_MAX) => Ok(Some(tokens)),
            _ => Err(invalid(name, value, format!("a whole number from 1 to {MAX_TOKENS_MAX}"))),
        };
    }
    Ok(None)
}

fn parse_include_usage(fields: &Map<String, Value>) -> Result<bool, Refusal> {
    match fields.get("stream_options") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Object(options)) => parse_bool(options.get("include_usage"), "stream_options.include_usage"),
        Some(other) => Err(invalid("stream_options", other, "an object")),
    }
}

fn parse_bool(value: Option<&Value>, param: &str) -> Result<bool, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(invalid(param, other, "true or false")),
    }
}

fn invalid(param: impl Into<String>, found: &Value, expected: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::Invalid { param: param.into(), found: shorten(&found.to_string()), expected: expected.into() }
}

/// At most 40 characters of what a client sent, so that an error body cannot be made to echo a page.
fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
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
