//! Formats the fields of an event as text, with control characters escaped.
//!
//! Many logged values come from a client or a vendor. Unescaped, a line feed in one could forge a line of the log,
//! and an escape sequence would act on the reader's terminal.

use std::fmt::{self, Debug, Write};

use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// Formats fields as `name=value`, separated by spaces, and the message without its name.
pub(super) fn escaped() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    debug_fn(write_field).delimited(" ")
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    if field.name() != "message" {
        let name = field.name().trim_start_matches("r#");
        match writer.has_ansi_escapes() {
            true => write!(writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?,
            false => write!(writer, "{name}=")?,
        }
    }
    write!(Escaped(writer), "{value:?}")
}

/// Writes text with control characters as `\n`, `\u{1b}` and the like.
struct Escaped<'a, W>(&'a mut W);

impl<W: Write> Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, control)) = rest.char_indices().find(|(_, character)| is_control(*character)) {
            self.0.write_str(&rest[..at])?;
            write!(self.0, "{}", control.escape_default())?;
            rest = &rest[at + control.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

/// Control characters (C0, DEL, C1), the Unicode line separators, and the marks that change the direction of text.
fn is_control(character: char) -> bool {
    let direction = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') || direction
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut written = String::new();
        Escaped(&mut written).write_str(text).unwrap();
        written
    }

    #[test]
    fn control_characters_are_escaped_and_others_kept() {
        for (text, expected) in [
            ("m\n2026-01-01 INFO forged", r"m\n2026-01-01 INFO forged"),
            ("\r\n\t\0", r"\r\n\t\u{0}"),
            ("\u{1b}[2J\u{7}\u{8}", r"\u{1b}[2J\u{7}\u{8}"),
            ("\u{7f}\u{85}\u{9b}31m", r"\u{7f}\u{85}\u{9b}31m"),
            ("a\u{2028}b\u{2029}c\u{202e}d\u{2066}e", r"a\u{2028}b\u{2029}c\u{202e}d\u{2066}e"),
            ("schön 日本 🦀 \\n \"quoted\"", "schön 日本 🦀 \\n \"quoted\""),
            ("", ""),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_escaped_exactly_at_control_characters(text in "(.|\\p{Cc}|\\p{Cf}|\\p{Zl}|\\p{Zp})*") {
            let written = escaped(&text);
            prop_assert!(!written.chars().any(is_control));
            let expected: String = text
                .chars()
                .flat_map(|c| if is_control(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
                .collect();
            prop_assert_eq!(written, expected);
        }
    }
}
