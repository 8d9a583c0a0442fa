//! What a deserializer says about a field, in words for people.

use super::error::printable;

/// What is wrong with a field: `found null, needs a number`.
pub(super) fn in_words(error: &serde_json::Error) -> String {
    let text = without_place(error);
    let mismatch = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    if let Some((found, expected)) = mismatch.and_then(|mismatch| mismatch.rsplit_once(", expected ")) {
        return printable(&format!("found {}, needs {}", found_as(found), needed_as(expected)));
    }
    printable(&if text.starts_with("missing field `") { "is missing".to_owned() } else { text })
}

/// The path of the field that an error is about. A field that is missing is not in the path of its error.
pub(super) fn failed_field(path: &str, error: &serde_json::Error) -> String {
    let text = without_place(error);
    let missing = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    printable(&match (missing, path) {
        (Some(field), ".") => field.to_owned(),
        (Some(field), parent) => format!("{parent}.{field}"),
        (None, path) => path.to_owned(),
    })
}

/// The text of an error without its line and column, which are shown apart.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned()
}

/// What was found, by JSON's names.
fn found_as(found: &str) -> &str {
    match found {
        "map" => "an object",
        "sequence" => "a list",
        _ => found,
    }
}

/// What was expected, by JSON's names and not by Rust's.
fn needed_as(expected: &str) -> &str {
    match expected {
        "f64" | "f32" => "a number",
        "u64" | "u32" | "u16" | "u8" | "usize" => "a whole number from 0",
        "i64" | "i32" => "a whole number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        struct_ if struct_.starts_with("struct ") => "an object",
        _ => expected,
    }
}
