//! Half surrogate pairs in JSON, which are valid by its grammar and have no value as text.

/// `json` with each half of a surrogate pair that has no other half (`\ud83d`) replaced by U+FFFD; `None` where there
/// is no such half.
pub(crate) fn replace_lone_surrogates(json: &str) -> Option<String> {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut mended, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(backslash) = json[at..].find('\\').map(|found| at + found) {
        let length = match unit(backslash) {
            Some(0xd800..=0xdbff) if unit(backslash + 6).is_some_and(|next| (0xdc00..=0xdfff).contains(&next)) => 12,
            Some(0xd800..=0xdfff) => {
                mended += &json[kept..backslash];
                mended += "\\ufffd";
                kept = backslash + 6;
                6
            }
            // Another escape, of which the second byte may be a backslash itself.
            _ => 1 + json[backslash + 1..].chars().next().map_or(0, char::len_utf8),
        };
        at = backslash + length;
    }
    (kept > 0).then(|| mended + &json[kept..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_are_kept() {
        let replaced = |json| replace_lone_surrogates(json);
        assert_eq!(replaced(r#""a \ud83d b""#).as_deref(), Some(r#""a \ufffd b""#));
        assert_eq!(replaced(r#""\ude00\ud83d\ude00""#).as_deref(), Some(r#""\ufffd\ud83d\ude00""#));
        assert_eq!(replaced(r#""\ud83d\ude00 \\ud83d \n é""#), None, "a pair, and an escaped backslash");
        assert_eq!(replaced(r#""\ud83"#), None);
        assert_eq!(replaced("\\"), None);
    }
}
