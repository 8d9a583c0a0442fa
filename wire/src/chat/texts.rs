//! The texts of a request's messages, with escapes decoded.

use std::convert::Infallible;
use std::fmt;

use serde::de::{Deserializer, Visitor};

use super::raw::{is_list, is_string};
use crate::json::{Raw, each_object};

/// Calls `on_text` with each text of a list of messages: a message is one text, or has some in a list of parts. Images
/// and sounds have none. Bytes, because half a surrogate pair is no text; whether it is accepted is up to the vendor.
pub(super) fn each_text(messages: Raw<'_>, mut on_text: impl FnMut(&[u8])) {
    let Ok(()) = each_object(messages, &["content"], |_, message| {
        match message.and_then(|[content]| content) {
            Some(text) if is_string(text) => decoded(text, &mut on_text),
            Some(parts) if is_list(parts) => each_part(parts, &mut on_text),
            _ => {}
        }
        Ok::<(), Infallible>(())
    });
}

fn each_part(parts: Raw<'_>, on_text: &mut impl FnMut(&[u8])) {
    let Ok(()) = each_object(parts, &["text"], |_, part| {
        if let Some(text) = part.and_then(|[text]| text).filter(|text| is_string(text)) {
            decoded(text, on_text);
        }
        Ok::<(), Infallible>(())
    });
}

fn decoded(text: Raw<'_>, on_text: &mut impl FnMut(&[u8])) {
    struct Bytes<'f, F>(&'f mut F);
    impl<F: FnMut(&[u8])> Visitor<'_> for Bytes<'_, F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<(), E> {
            (self.0)(bytes);
            Ok(())
        }
    }
    // A string that has been parsed once is one.
    let _ = serde_json::Deserializer::from_str(text.get()).deserialize_bytes(Bytes(on_text));
}
