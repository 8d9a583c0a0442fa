//! The beginning of an answer that is not what was asked for, to show.

/// Longest excerpt, in characters.
const CHARS_MAX: usize = 160;

/// The media type of an answer and the beginning of its body, on one line and without control characters.
pub(crate) fn excerpt(content_type: Option<&str>, body: &[u8]) -> String {
    let mut text = content_type.map_or_else(String::new, |content_type| format!("{content_type}: "));
    // A character has at most four bytes.
    text += &String::from_utf8_lossy(&body[..body.len().min(4 * CHARS_MAX)]);
    let shown = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    shown.take(CHARS_MAX).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt(Some("text/html"), b"<html>\n\x1b[31mred"), "text/html: <html>  [31mred");
        assert_eq!(excerpt(None, &[b'x'; 10_000]), "x".repeat(CHARS_MAX));
        assert_eq!(excerpt(None, b""), "");
    }
}
