//! The texts of a request's messages, with escapes decoded.

use std::convert::Infallible;

use super::raw::{decoded, is_list, is_string};
use crate::json::{Raw, each_object};

/// Calls `on_text` with each text of a list of messages: a message is one text, or has some in a list of parts. Images
/// and sounds have none. Bytes, because half a surrogate pair is no text; whether it is accepted is up to the vendor.
pub(super) fn each_text(messages: Raw<'_>, mut on_text: impl FnMut(&[u8])) {
    let Ok(()) = each_object(messages, &["content"], |_, message| {
        match message.and_then(|[content]| content) {
            Some(text) if is_string(text) => decoded(text, &mut on_text),
            Some(parts) if is_list(parts) => each_part(parts, |text| decoded(text, &mut on_text)),
            _ => {}
        }
        Ok::<(), Infallible>(())
    });
}

/// Calls `on_string` with each text in a list of parts, as its string.
pub(super) fn each_part(parts: Raw<'_>, mut on_string: impl FnMut(Raw<'_>)) {
    let Ok(()) = each_object(parts, &["text"], |_, part| {
        part.and_then(|[text]| text).filter(|text| is_string(text)).into_iter().for_each(&mut on_string);
        Ok::<(), Infallible>(())
    });
}
