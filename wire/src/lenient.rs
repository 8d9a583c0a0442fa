//! ParsedChunk of JSON that others write: a member of another type than expected is passed over and makes
//! nothing else unreadable. Nothing is built that is not asked for, so a large value costs its bytes once.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What is wanted of a JSON value. Each method is called for a value of its kind; the others' default is
/// to pass over the value.
pub(crate) trait Wanted<'de> {
    /// A string.
    fn text(&mut self, _text: Cow<'de, str>) {}

    /// A number; whole ones come as an exact `u64` where they fit.
    fn number(&mut self, _number: Number) {}

    /// `true` or `false`.
    fn truth(&mut self, _truth: bool) {}

    /// A list: what is to be read of each element, by [`Source::read`].
    fn element<S: Source<'de>>(&mut self, element: S) -> Result<(), S::Error> {
        element.pass_over()
    }

    /// An object's member.
    fn member<S: Source<'de>>(&mut self, _name: &str, value: S) -> Result<(), S::Error> {
        value.pass_over()
    }
}

/// A JSON number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Other(f64),
}

/// A value that can be read once.
pub(crate) trait Source<'de>: Sized {
    type Error;

    /// Reads it into `wanted`.
    fn read(self, wanted: &mut impl Wanted<'de>) -> Result<(), Self::Error>;

    /// Reads it and keeps nothing.
    fn pass_over(self) -> Result<(), Self::Error>;
}

/// Reads `json`, which has to be one JSON value, into `wanted`.
///
/// # Errors
/// When it is no JSON.
pub(crate) fn read<'de>(json: &'de str, wanted: &mut impl Wanted<'de>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Seed(wanted, PhantomData).deserialize(&mut deserializer)?;
    deserializer.end()
}

struct Seed<'w, 'de, W>(&'w mut W, PhantomData<&'de ()>);

impl<'de, W: Wanted<'de>> DeserializeSeed<'de> for Seed<'_, 'de, W> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, W: Wanted<'de>> Visitor<'de> for Seed<'_, 'de, W> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.0.text(text.into());
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text(text.to_owned().into());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.number(Number::Whole(number));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.number(Number::Other(number as f64));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.number(Number::Other(number));
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.0.truth(truth);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut ended = false;
        while !ended {
            self.0.element(Element { list: &mut list, ended: &mut ended, lifetime: PhantomData })?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        loop {
            let mut name = Name(None);
            if members.next_key_seed(Seed(&mut name, PhantomData))?.is_none() {
                return Ok(());
            }
            self.0.member(name.0.as_deref().unwrap_or(""), Member(&mut members, PhantomData))?;
        }
    }
}

/// An object's key.
struct Name<'de>(Option<Cow<'de, str>>);

impl<'de> Wanted<'de> for Name<'de> {
    fn text(&mut self, text: Cow<'de, str>) {
        self.0 = Some(text);
    }
}

struct Element<'l, 'de, A> {
    list: &'l mut A,
    ended: &'l mut bool,
    lifetime: PhantomData<&'de ()>,
}

impl<'de, A: SeqAccess<'de>> Source<'de> for Element<'_, 'de, A> {
    type Error = A::Error;

    fn read(self, wanted: &mut impl Wanted<'de>) -> Result<(), A::Error> {
        *self.ended = self.list.next_element_seed(Seed(wanted, PhantomData))?.is_none();
        Ok(())
    }

    fn pass_over(self) -> Result<(), A::Error> {
        *self.ended = self.list.next_element::<IgnoredAny>()?.is_none();
        Ok(())
    }
}

struct Member<'m, 'de, A>(&'m mut A, PhantomData<&'de ()>);

impl<'de, A: MapAccess<'de>> Source<'de> for Member<'_, 'de, A> {
    type Error = A::Error;

    fn read(self, wanted: &mut impl Wanted<'de>) -> Result<(), A::Error> {
        self.0.next_value_seed(Seed(wanted, PhantomData))
    }

    fn pass_over(self) -> Result<(), A::Error> {
        self.0.next_value::<IgnoredAny>().map(drop)
    }
}

/// A string, or nothing where the value is something else.
#[derive(Debug, Default)]
pub(crate) struct Text(pub(crate) Option<String>);

impl<'de> Wanted<'de> for Text {
    fn text(&mut self, text: Cow<'de, str>) {
        self.0 = Some(text.into_owned());
    }
}

/// A whole number that is not negative, or nothing where the value is something else.
#[derive(Debug, Default)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl<'de> Wanted<'de> for Count {
    fn number(&mut self, number: Number) {
        self.0 = match number {
            Number::Whole(count) => Some(count),
            Number::Other(count) if count >= 0.0 && count.fract() == 0.0 && count < u64::MAX as f64 => {
                Some(count as u64)
            }
            Number::Other(_) => None,
        };
    }
}

/// `json` with each half of a surrogate pair that has no other half (`\ud83d`) replaced by the character
/// that stands for what is no text; none where there is no such half.
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
    fn only_halves_without_their_other_half_are_replaced() {
        let replaced = |json| replace_lone_surrogates(json);
        assert_eq!(replaced(r#""a \ud83d b""#).as_deref(), Some(r#""a \ufffd b""#));
        assert_eq!(replaced(r#""\ude00\ud83d\ude00""#).as_deref(), Some(r#""\ufffd\ud83d\ude00""#));
        assert_eq!(replaced(r#""\ud83d\ude00 \\ud83d \n é""#), None, "a pair, and an escaped backslash");
        assert_eq!(replaced(r#""\ud83"#), None);
        assert_eq!(replaced("\\"), None);
    }
}
