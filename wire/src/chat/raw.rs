//! The values of a request as the client wrote them: their types and sizes, and the error for an invalid one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Visitor};

use crate::error::RequestError;
use crate::json::{self, Members, Raw};

/// The members with these `names` of the object that `body` must be; the last one of duplicates.
///
/// # Errors
/// [`RequestError::InvalidJson`], and [`RequestError::InvalidValue`] for JSON that is not an object.
pub(super) fn object<'a, const N: usize>(body: &'a [u8], names: &[&str; N]) -> Result<Members<'a, N>, RequestError> {
    let not_json = |error: &dyn fmt::Display| RequestError::InvalidJson(error.to_string());
    let text = str::from_utf8(body).map_err(|error| not_json(&error))?;
    if text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{')
        && let Some(members) = json::members(text, names).map_err(|error| not_json(&error))?
    {
        return Ok(members);
    }
    // Parsed to the end, because invalid JSON has an error of its own.
    let other: Raw<'_> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    Err(invalid("body", other, "a JSON object"))
}

/// The element at `index` of a valid list.
pub(super) fn element(list: Raw<'_>, index: usize) -> Option<Raw<'_>> {
    serde_json::from_str::<Vec<Raw<'_>>>(list.get()).ok()?.get(index).copied()
}

/// Bytes of a string's text, with escapes decoded; 0 for another value.
pub(super) fn text_bytes(value: Raw<'_>) -> usize {
    let text = value.get();
    if !is_string(value) {
        return 0;
    }
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return text.len() - 2;
    }
    let mut length = text.len() - 2;
    decoded(value, |bytes| length = bytes.len());
    length
}

/// Calls `on_text` with the text of a string, with escapes decoded. As bytes, because half a surrogate pair is not text;
/// whether it is accepted is up to the vendor.
pub(super) fn decoded(string: Raw<'_>, on_text: impl FnMut(&[u8])) {
    struct Bytes<F>(F);
    impl<F: FnMut(&[u8])> Visitor<'_> for Bytes<F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_bytes<E>(mut self, bytes: &[u8]) -> Result<(), E> {
            (self.0)(bytes);
            Ok(())
        }
    }
    // A string that has been parsed once is one.
    let _ = serde_json::Deserializer::from_str(string.get()).deserialize_bytes(Bytes(on_text));
}

/// Whether a value is a string.
pub(super) fn is_string(value: Raw<'_>) -> bool {
    value.get().starts_with('"')
}

/// Whether a value is a list.
pub(super) fn is_list(value: Raw<'_>) -> bool {
    value.get().starts_with('[')
}

/// Whether a value is a number.
pub(super) fn is_number(value: Raw<'_>) -> bool {
    value.get().starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// A value that is present and not `null`.
pub(super) fn given(value: Option<Raw<'_>>) -> Option<Raw<'_>> {
    value.filter(|value| value.get() != "null")
}

/// The error for an invalid value.
pub(super) fn invalid(
    param: impl Into<String>,
    found: Raw<'_>,
    expected: impl Into<Cow<'static, str>>,
) -> RequestError {
    RequestError::InvalidValue { param: param.into(), found: shorten(found.get()), expected: expected.into() }
}

/// At most 40 characters of what a client sent, on one line, so that an error body cannot be made to echo a page.
fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut short: String = text.chars().take(CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}
