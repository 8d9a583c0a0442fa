use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{MAX_TOKENS_MAX, Message, ROLES};
use crate::error::Refusal;

pub(super) fn json_object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(invalid("body", &other, "a JSON object")),
        Err(error) => Err(Refusal::NotJson(error.to_string())),
    }
}

pub(super) fn parse_messages(fields: &Map<String, Value>) -> Result<Vec<Message>, Refusal> {
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

pub(super) fn parse_model(fields: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    match fields.get("model") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if !name.is_empty() => Ok(Some(name.clone())),
        Some(other) => Err(invalid("model", other, "a non-empty string")),
    }
}

pub(super) fn parse_max_tokens(fields: &Map<String, Value>) -> Result<Option<u32>, Refusal> {
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

pub(super) fn parse_include_usage(fields: &Map<String, Value>) -> Result<bool, Refusal> {
    match fields.get("stream_options") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Object(options)) => parse_bool(options.get("include_usage"), "stream_options.include_usage"),
        Some(other) => Err(invalid("stream_options", other, "an object")),
    }
}

pub(super) fn parse_bool(value: Option<&Value>, param: &str) -> Result<bool, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(invalid(param, other, "true or false")),
    }
}

pub(super) fn invalid(param: impl Into<String>, found: &Value, expected: impl Into<Cow<'static, str>>) -> Refusal {
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
