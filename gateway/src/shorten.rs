//! What a client sent, short enough for an error message.

/// Longest text that an error repeats, in characters.
const CHARS_MAX: usize = 80;

/// The first 80 characters of what a client sent.
#[must_use]
pub fn shorten(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}
