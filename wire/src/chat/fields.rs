//! The fields of a chat request, each validated as strictly as its reader needs.

use std::borrow::Cow;

use super::raw::{element, given, invalid, is_list, is_number, is_string, text_bytes};
use super::texts::each_part;
use crate::error::RequestError;
use crate::json::{Raw, each_object, members};

/// Largest `max_tokens` accepted. No model generates more in one answer, and the bound keeps a typing error from
/// reserving a quota for a day.
pub const MAX_TOKENS_MAX: u32 = 1_000_000;

/// The roles that OpenAI has.
pub const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// Who reads a request, which decides what must be valid in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A server, on its own routes: all fields that are used.
    Own,
    /// A server that passes the body on unchanged: only what the server itself decides on. The vendor validates the rest.
    Relay,
    /// The vendor: all fields that are used, with the numbers that common vendors accept.
    Vendor,
}

/// The list of messages, validated, and the bytes of those whose content is a string. Contents that are lists are added
/// to `parts`.
///
/// # Errors
/// [`RequestError`] with the first invalid field.
pub(super) fn messages<'a>(
    list: Option<Raw<'a>>,
    parts: &mut Vec<Raw<'a>>,
    reader: Reader,
) -> Result<(Raw<'a>, usize), RequestError> {
    const EXPECTED: &str = "a list of at least one {\"role\", \"content\"}";
    let list = list.ok_or(RequestError::MissingField { param: "messages".into(), expected: EXPECTED })?;
    let mut count = 0;
    let mut bytes = 0;
    if is_list(list) {
        each_object(list, &["role", "content"], |index, message| {
            count += 1;
            bytes += match message {
                Some([role, content]) => message_text(index, role, content, parts, reader)?,
                None => return Err(not_an_object(list, index)),
            };
            Ok(())
        })?;
    }
    if count == 0 { Err(invalid("messages", list, EXPECTED)) } else { Ok((list, bytes)) }
}

fn not_an_object(list: Raw<'_>, index: usize) -> RequestError {
    const EXPECTED: &str = "an object with \"role\" and \"content\"";
    invalid(format!("messages[{index}]"), element(list, index).unwrap_or(list), EXPECTED)
}

/// The bytes of a message's text.
fn message_text<'a>(
    index: usize,
    role: Option<Raw<'_>>,
    content: Option<Raw<'a>>,
    parts: &mut Vec<Raw<'a>>,
    reader: Reader,
) -> Result<usize, RequestError> {
    let param = |member: &str| format!("messages[{index}].{member}");
    let role = role
        .ok_or_else(|| RequestError::MissingField { param: param("role"), expected: "the role, such as \"user\"" })?;
    let name = non_empty(role);
    let known = ROLES.into_iter().find(|known| name.as_deref() == Some(known));
    match (known, reader) {
        (Some(_), _) => {}
        // Vendors have other roles.
        (None, Reader::Relay) if name.is_some() => {}
        (None, Reader::Relay) => return Err(invalid(param("role"), role, "a non-empty string")),
        (None, _) => return Err(invalid(param("role"), role, format!("one of {}", ROLES.join(", ")))),
    }
    match content {
        Some(text) if is_string(text) => Ok(text_bytes(text)),
        Some(list) if is_list(list) => {
            parts.push(list);
            Ok(0)
        }
        other if given(other).is_none() && may_be_empty(known, other.is_some(), reader) => Ok(0),
        Some(other) => Err(invalid(param("content"), other, "a string or a list of parts")),
        None => Err(RequestError::MissingField { param: param("content"), expected: "the text of the message" }),
    }
}

/// Whether a message of this role may have no content: an assistant's message that only calls a tool has none. A relay
/// leaves other cases to the vendor, but a user or system message without content is always a mistake.
fn may_be_empty(role: Option<&str>, null: bool, reader: Reader) -> bool {
    let speaks = matches!(role, Some("user" | "system" | "developer"));
    role == Some("assistant") || (reader == Reader::Relay && (null || !speaks))
}

/// Bytes of the text in a list of parts; images and sounds have none.
pub(super) fn parts_text(parts: Raw<'_>) -> usize {
    let mut bytes = 0;
    each_part(parts, |text| bytes += text_bytes(text));
    bytes
}

/// The model, if one is named.
pub(super) fn model(value: Option<Raw<'_>>) -> Result<Option<Cow<'_, str>>, RequestError> {
    let Some(value) = given(value) else { return Ok(None) };
    non_empty(value).map(Some).ok_or_else(|| invalid("model", value, "a non-empty string"))
}

/// The text of a non-empty string, borrowed if it has no escapes.
fn non_empty(value: Raw<'_>) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let Text(text) = serde_json::from_str(value.get()).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

/// The limit on the answer's tokens, if there is one and it is known.
pub(super) fn max_tokens([newer, older]: [Option<Raw<'_>>; 2], reader: Reader) -> Result<Option<u32>, RequestError> {
    let given = |name, value| given(value).map(|value| (name, value));
    let Some((name, value)) = given("max_completion_tokens", newer).or_else(|| given("max_tokens", older)) else {
        return Ok(None);
    };
    let text = value.get();
    let known = text.parse().ok().filter(in_range);
    match reader {
        _ if known.is_some() => Ok(known),
        // Some vendors accept -1 for no limit, or 100.0: what it means is up to them.
        Reader::Relay if is_number(value) => Ok(None),
        Reader::Vendor if text == "-1" => Ok(None),
        Reader::Vendor if whole(text).is_some() => Ok(whole(text)),
        Reader::Relay => Err(invalid(name, value, "a number")),
        Reader::Own | Reader::Vendor => Err(invalid(name, value, format!("a whole number from 1 to {MAX_TOKENS_MAX}"))),
    }
}

fn in_range(tokens: &u32) -> bool {
    (1..=MAX_TOKENS_MAX).contains(tokens)
}

/// A number such as 100.0 or 1e2.
fn whole(text: &str) -> Option<u32> {
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number >= 1.0 && number <= f64::from(MAX_TOKENS_MAX)).then_some(number as u32)
}

/// Whether to stream the answer.
pub(super) fn stream(value: Option<Raw<'_>>) -> Result<bool, RequestError> {
    flag("stream", value)
}

/// Whether a stream should end with the token counts.
pub(super) fn include_usage(options: Option<Raw<'_>>, reader: Reader) -> Result<bool, RequestError> {
    let Some(options) = given(options) else { return Ok(false) };
    let asked = members(options.get(), &["include_usage"]);
    match (asked, reader) {
        (Ok(Some([asked])), Reader::Relay) => Ok(asked.is_some_and(|asked| asked.get() == "true")),
        (_, Reader::Relay) => Ok(false),
        (Ok(Some([asked])), _) => flag("stream_options.include_usage", asked),
        _ => Err(invalid("stream_options", options, "an object")),
    }
}

fn flag(param: &str, value: Option<Raw<'_>>) -> Result<bool, RequestError> {
    match given(value).map(|value| (value, value.get())) {
        None | Some((_, "false")) => Ok(false),
        Some((_, "true")) => Ok(true),
        Some((value, _)) => Err(invalid(param, value, "true or false")),
    }
}
