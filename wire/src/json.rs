//! JSON read without a tree: a [`Receiver`] takes what it wants of a value as it is parsed, and the rest is skipped.
//!
//! A tree of a hostile body of 1 MiB takes 60 ms to build and 40 times its memory; to skip the same bytes takes 2 ms
//! and no memory. And a derived `Deserialize` rejects what must be accepted here: a member of another type than
//! expected, two members of one name (the last counts), and names with half a surrogate pair.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

mod members;
mod surrogates;

pub(crate) use members::{Members, each_object, members};
pub(crate) use surrogates::replace_lone_surrogates;

/// A value as it is written.
pub(crate) type Raw<'a> = &'a RawValue;

/// What takes from a JSON value what it wants. The method for the value's kind is called; by default the value is
/// skipped.
pub(crate) trait Receiver<'de> {
    /// Whether members are read whose name is valid JSON and no text, because of half a surrogate pair in it. It costs
    /// about 20 ns a member. Without it, such a name is an error.
    const TAKES_ANY_NAME: bool = false;

    /// The value is a string.
    fn text(&mut self, _text: Cow<'de, str>) {}

    /// The value is a number.
    fn number(&mut self, _number: Number) {}

    /// The value is `true` or `false`.
    fn boolean(&mut self, _value: bool) {}

    /// The value is a list; its elements follow.
    fn begin_list(&mut self) {}

    /// An element of the list, for [`read_value`], [`skip`] or [`raw`].
    fn element<D: Deserializer<'de>>(&mut self, element: D) -> Result<(), D::Error> {
        skip(element)
    }

    /// The value is an object; its members follow.
    fn begin_object(&mut self) {}

    /// A member of the object, its value for [`read_value`], [`skip`] or [`raw`].
    fn member<D: Deserializer<'de>>(&mut self, _name: &str, value: D) -> Result<(), D::Error> {
        skip(value)
    }
}

/// A JSON number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// A whole number that fits exactly.
    Whole(u64),
    /// Any other.
    Other(f64),
}

/// Reads `json`, which must be one JSON value.
///
/// # Errors
/// For what is not JSON, and for a value that `receiver` wants and Rust has no type for, such as 1e999.
pub(crate) fn read<'de>(json: &'de str, receiver: &mut impl Receiver<'de>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    read_value(&mut deserializer, receiver)?;
    deserializer.end()
}

/// Reads an element or a member's value.
pub(crate) fn read_value<'de, D: Deserializer<'de>>(
    value: D,
    receiver: &mut impl Receiver<'de>,
) -> Result<(), D::Error> {
    value.deserialize_any(Reader(receiver, PhantomData))
}

/// Skips an element or a member's value.
pub(crate) fn skip<'de, D: Deserializer<'de>>(value: D) -> Result<(), D::Error> {
    IgnoredAny::deserialize(value).map(drop)
}

/// An element or a member's value as it is written.
pub(crate) fn raw<'de, D: Deserializer<'de>>(value: D) -> Result<Raw<'de>, D::Error> {
    Raw::deserialize(value)
}

/// A string, or nothing where the value is something else.
#[derive(Debug, Default)]
pub(crate) struct Text(pub(crate) Option<String>);

impl<'de> Receiver<'de> for Text {
    fn text(&mut self, text: Cow<'de, str>) {
        self.0 = Some(text.into_owned());
    }
}

/// A whole number that is not negative, or nothing where the value is something else.
#[derive(Debug, Default)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl<'de> Receiver<'de> for Count {
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

/// Hands a value to a receiver.
struct Reader<'r, 'de, R>(&'r mut R, PhantomData<&'de ()>);

impl<'de, R: Receiver<'de>> Visitor<'de> for Reader<'_, 'de, R> {
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

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.boolean(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.begin_list();
        while list.next_element_seed(Element(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        self.0.begin_object();
        if R::TAKES_ANY_NAME {
            while let Some(name) = object.next_key::<Raw<'de>>()? {
                object.next_value_seed(Member(&mut *self.0, &unquoted(name.get())))?;
            }
        } else {
            while let Some(Name(name)) = object.next_key()? {
                object.next_value_seed(Member(&mut *self.0, &name))?;
            }
        }
        Ok(())
    }
}

/// A member's name.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The name in this string. One with half a surrogate pair, which is no text, counts as empty.
fn unquoted(name: &str) -> Cow<'_, str> {
    let plain = &name[1..name.len() - 1];
    if plain.contains('\\') { serde_json::from_str::<String>(name).unwrap_or_default().into() } else { plain.into() }
}

/// Hands an element to a receiver.
struct Element<'r, R>(&'r mut R);

impl<'de, R: Receiver<'de>> DeserializeSeed<'de> for Element<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, element: D) -> Result<(), D::Error> {
        self.0.element(element)
    }
}

/// Hands a member to a receiver.
struct Member<'r, R>(&'r mut R, &'r str);

impl<'de, R: Receiver<'de>> DeserializeSeed<'de> for Member<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        self.0.member(self.1, value)
    }
}
