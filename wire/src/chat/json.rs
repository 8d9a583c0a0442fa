//! JSON read without a tree: what is asked for by name is found as the text that it is, and the rest is only
//! passed over. A tree of a hostile body of 1 MiB takes 60 ms to build and 40 times its memory; to pass over
//! the same bytes takes 2 ms and none.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::RequestError;

/// A value as the client wrote it.
pub(super) type Raw<'a> = &'a RawValue;

/// The members of the object that `body` has to be which have one of these `names`. Of two with one name the
/// last counts, as everywhere.
///
/// # Errors
/// [`RequestError::InvalidJson`], and [`RequestError::InvalidValue`] for JSON that is no object.
pub(super) fn object<'a, const N: usize>(
    body: &'a [u8],
    names: &[&str; N],
) -> Result<[Option<Raw<'a>>; N], RequestError> {
    let not_json = |error: &dyn fmt::Display| RequestError::InvalidJson(error.to_string());
    let text = str::from_utf8(body).map_err(|error| not_json(&error))?;
    if text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return members(text, names).map_err(|error| not_json(&error));
    }
    // Looked through to its end: what is no JSON is refused as that.
    let other: Raw<'_> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    Err(invalid("body", other, "a JSON object"))
}

/// The members of these `names` in `text`, which is an object.
///
/// # Errors
/// When it is none, or no JSON.
pub(super) fn members<'a, const N: usize>(
    text: &'a str,
    names: &[&str; N],
) -> serde_json::Result<[Option<Raw<'a>>; N]> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = Members(names).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

/// Calls `each` with the members of these `names` in each element of `list`, which is a valid list, or with
/// nothing for an element that is no object, until one is refused.
///
/// # Errors
/// That refusal.
pub(super) fn each_object<'a, const N: usize>(
    list: Raw<'a>,
    names: &[&str; N],
    each: impl FnMut(usize, Option<[Option<Raw<'a>>; N]>) -> Result<(), RequestError>,
) -> Result<(), RequestError> {
    let mut refused = None;
    let visitor = Objects { names, each, refused: &mut refused };
    // The list is valid: what ends the reading early is the refusal.
    let _ = serde_json::Deserializer::from_str(list.get()).deserialize_seq(visitor);
    refused.map_or(Ok(()), Err)
}

/// The element at `index` of a valid list.
pub(super) fn element(list: Raw<'_>, index: usize) -> Option<Raw<'_>> {
    serde_json::from_str::<Vec<Raw<'_>>>(list.get()).ok()?.get(index).copied()
}

/// Bytes of the text that a string is; of another value, none. Escapes count as what they stand for.
pub(super) fn text_bytes(value: Raw<'_>) -> usize {
    struct Length;
    impl Visitor<'_> for Length {
        type Value = usize;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<usize, E> {
            Ok(bytes.len())
        }
    }
    let text = value.get();
    if !is_string(value) {
        return 0;
    }
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return text.len() - 2;
    }
    // As bytes: half of a surrogate pair is no text, and the vendor's business.
    serde_json::Deserializer::from_str(text).deserialize_bytes(Length).unwrap_or(text.len() - 2)
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

/// A value that is there and not `null`.
pub(super) fn given(value: Option<Raw<'_>>) -> Option<Raw<'_>> {
    value.filter(|value| value.get() != "null")
}

/// The refusal of a value.
pub(super) fn invalid(
    param: impl Into<String>,
    found: Raw<'_>,
    expected: impl Into<std::borrow::Cow<'static, str>>,
) -> RequestError {
    RequestError::InvalidValue { param: param.into(), found: shorten(found.get()), expected: expected.into() }
}

/// At most 40 characters of what a client sent, on one line, so that an error body cannot be made to echo a
/// page.
fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut short: String = text.chars().take(CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// Reads an object: its members of these names as they are, and passes over the others.
struct Members<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Members<'_, N> {
    type Value = [Option<Raw<'de>>; N];

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<Raw<'de>>; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(key) = map.next_key::<Raw<'de>>()? {
            match self.0.iter().position(|name| is_named(key.get(), name)) {
                Some(place) => found[place] = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// Whether this text, with its quotes, is that name: it may have escapes.
fn is_named(text: &str, name: &str) -> bool {
    let plain = &text[1..text.len() - 1];
    if plain.contains('\\') { serde_json::from_str(text).is_ok_and(|text: String| text == name) } else { plain == name }
}

/// Reads a list of objects.
struct Objects<'n, const N: usize, F> {
    names: &'n [&'n str; N],
    each: F,
    refused: &'n mut Option<RequestError>,
}

impl<'de, const N: usize, F> Visitor<'de> for Objects<'_, N, F>
where
    F: FnMut(usize, Option<[Option<Raw<'de>>; N]>) -> Result<(), RequestError>,
{
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        for index in 0.. {
            let (element, last) = match list.next_element_seed(Element(self.names)) {
                Ok(Some(element)) => (element, false),
                Ok(None) => break,
                // No object, and nothing that Rust has a value for, such as 1e999: the reader stands still there.
                Err(_) => (None, true),
            };
            if let Err(refusal) = (self.each)(index, element) {
                *self.refused = Some(refusal);
                break;
            }
            if last {
                break;
            }
        }
        Ok(())
    }
}

/// Reads an element of a list: nothing of it, unless it is an object.
struct Element<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Element<'_, N> {
    type Value = Option<[Option<Raw<'de>>; N]>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Element<'_, N> {
    type Value = Option<[Option<Raw<'de>>; N]>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Members(self.0).visit_map(map).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
