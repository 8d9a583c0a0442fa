//! Whether bytes are one whole JSON document, in which each key of an object stands once. Types are looked at later:
//! here, the same key twice is found wherever it stands, where serde would silently take the last.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::error::{Problem, printable};
use super::message::without_place;

/// Checks the whole text.
pub(super) fn check(json: &[u8]) -> Result<(), Problem> {
    let Some(first) = json.iter().find(|byte| !byte.is_ascii_whitespace()) else { return Err(Problem::Empty) };
    if *first == b'<' {
        return Err(Problem::Page);
    }
    let mut document = serde_json::Deserializer::from_slice(json);
    let walked = Node { parents: None }.deserialize(&mut document).and_then(|()| document.end());
    walked.map_err(|error| problem(json, &error))
}

fn problem(json: &[u8], error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let what = without_place(error);
    match error.classify() {
        Category::Eof => Problem::Truncated { line, column },
        Category::Data => Problem::Twice { key: printable(&what), line, column },
        _ if what.starts_with("recursion limit") => Problem::TooDeep { line, column },
        _ => match not_finite(json, line, column) {
            Some(value) => Problem::NotFinite { value, line, column },
            None => Problem::NotJson { what, line, column },
        },
    }
}

/// What looks like a number there and is none that JSON has: `NaN`, `-Infinity`, `1e999`.
fn not_finite(json: &[u8], line: usize, column: usize) -> Option<String> {
    let line = json.split(|byte| *byte == b'\n').nth(line.checked_sub(1)?)?;
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let at = column.saturating_sub(1).min(line.len());
    let from = line[..at].iter().rposition(|byte| !in_word(byte)).map_or(0, |before| before + 1);
    let word: Vec<u8> = line[from..].iter().copied().take_while(in_word).collect();
    let word = String::from_utf8(word).ok()?;
    let is_one = match word.trim_start_matches(['-', '+']).to_ascii_lowercase().as_str() {
        "nan" | "inf" | "infinity" => true,
        number => number.parse::<f64>().is_ok_and(f64::is_infinite),
    };
    is_one.then(|| printable(&word))
}

/// A value of the document, with the keys that lead to it.
#[derive(Clone, Copy)]
struct Node<'a> {
    parents: Option<&'a Parent<'a>>,
}

struct Parent<'a> {
    key: &'a str,
    parents: Option<&'a Parent<'a>>,
}

impl Node<'_> {
    /// The path of a key of this value: `arms.broken`.
    fn path_to(self, key: &str) -> String {
        let mut keys = vec![key];
        let mut above = self.parents;
        while let Some(parent) = above {
            keys.push(parent.key);
            above = parent.parents;
        }
        keys.reverse();
        keys.join(".")
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format!("`{}`", self.path_to(&key))));
            }
            fields.next_value_seed(Node { parents: Some(&Parent { key: &key, parents: self.parents }) })?;
            seen.insert(key);
        }
        Ok(())
    }
}
