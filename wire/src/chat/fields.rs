//! The fields of a chat request, each checked as strictly as its reader needs.

use std::borrow::Cow;
use std::convert::Infallible;

use super::raw::{element, given, invalid, is_list, is_number, is_string, text_bytes};
use crate::error::RequestError;
use crate::json::{Raw, each_object, members};

/// Largest `max_tokens` that is taken at its word. No model generates more in one answer, and a
/// bound keeps a typing error from reserving a quota for a day.
pub const MAX_TOKENS_MAX: u32 = 1_000_000;

/// The roles that OpenAI knows.
pub const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// Who reads a request, and so what has to be right in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A server, of a route of its own: all that is read.
    Own,
    /// A server that passes the body on as it came: what the server itself decides by. The rest is the vendor's
    /// business.
    Relay,
    /// The vendor: all that is read. Of numbers it takes what common vendors take.
    Vendor,
}

/// The list of messages, checked, and the bytes of those that are one text; the lists of parts that others are
/// made of are added to `parts`.
///
/// # Errors
/// [`RequestError`] with the first field at fault.
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
                None => return Err(no_object(list, index)),
            };
            Ok(())
        })?;
    }
    if count == 0 { Err(invalid("messages", list, EXPECTED)) } else { Ok((list, bytes)) }
}

fn no_object(list: Raw<'_>, index: usize) -> RequestError {
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
        .ok_or_else(|| RequestError::MissingField { param: param("role"), expected: "who speaks, such as \"user\"" })?;
    let name = non_empty(role);
    let known = ROLES.into_iter().find(|known| name.as_deref() == Some(known));
    match (known, reader) {
        (Some(_), _) => {}
        // Vendors have roles of their own.
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
        other if given(other).is_none() && may_be_silent(known, other.is_some(), reader) => Ok(0),
        Some(other) => Err(invalid(param("content"), other, "a string or a list of parts")),
        None => Err(RequestError::MissingField { param: param("content"), expected: "the text of the message" }),
    }
}

/// Whether a message of this role needs no content: an assistant's turn that only calls a tool has none. What
/// else vendors allow is theirs to say, but that a person or the system says nothing at all is a mistake.
fn may_be_silent(role: Option<&str>, null: bool, reader: Reader) -> bool {
    let speaks = matches!(role, Some("user" | "system" | "developer"));
    role == Some("assistant") || (reader == Reader::Relay && (null || !speaks))
}

/// Bytes of the text in a list of parts; images and sounds are none.
pub(super) fn parts_text(parts: Raw<'_>) -> usize {
    let mut bytes = 0;
    let Ok(()) = each_object(parts, &["text"], |_, part| {
        bytes += part.and_then(|[text]| text).map_or(0, text_bytes);
        Ok::<(), Infallible>(())
    });
    bytes
}

/// The model, where one is named.
pub(super) fn model(value: Option<Raw<'_>>) -> Result<Option<Cow<'_, str>>, RequestError> {
    let Some(value) = given(value) else { return Ok(None) };
    non_empty(value).map(Some).ok_or_else(|| invalid("model", value, "a non-empty string"))
}

/// The text of a string that is not empty, borrowed where it has no escapes.
fn non_empty(value: Raw<'_>) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let Text(text) = serde_json::from_str(value.get()).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

/// The limit on the answer's tokens, where there is one that is known.
pub(super) fn max_tokens([newer, older]: [Option<Raw<'_>>; 2], reader: Reader) -> Result<Option<u32>, RequestError> {
    let given = |name, value| given(value).map(|value| (name, value));
    let Some((name, value)) = given("max_completion_tokens", newer).or_else(|| given("max_tokens", older)) else {
        return Ok(None);
    };
    let text = value.get();
    let known = text.parse().ok().filter(in_range);
    match reader {
        _ if known.is_some() => Ok(known),
        // Some vendors take -1 for no limit, and others 100.0; what it means is theirs to say.
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

/// Whether the answer is to be streamed.
pub(super) fn stream(value: Option<Raw<'_>>) -> Result<bool, RequestError> {
    flag("stream", value)
}

/// Whether a stream is to end with the token counts.
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
