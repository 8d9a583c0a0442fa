//! The parts of a chunk on which something depends.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny};

use super::failure::{Report, ReportedFailure};
use crate::completion::Usage;
use crate::json::{self, Count, Receiver, Text};

/// The parts of a chunk, or of a whole completion, on which something depends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedChunk {
    /// The text that it adds, if any; never empty. With several choices, that of the first one with text.
    pub text: Option<String>,
    /// Why the answer ended, if it says so.
    pub finish_reason: Option<String>,
    /// The token counts, if they are numbers.
    pub usage: Option<Usage>,
    /// It has something that the model generated: text, a tool's arguments, its thinking. A role or the result of a filter
    /// is not that.
    pub generates: bool,
    /// It has a list of choices, which may be empty.
    pub has_choices: bool,
    /// The choices in it, a bit for each index under 64.
    pub(super) choices: u64,
    /// Those of them that end with it.
    pub(super) ended: u64,
}

/// The result of parsing an event.
pub(super) enum Read {
    Chunk(ParsedChunk),
    Failure(ReportedFailure),
    Other,
}

/// Parses `json`.
///
/// # Errors
/// If it is not JSON.
pub(super) fn read(json: &str) -> serde_json::Result<Read> {
    let mut whole = Whole::default();
    if json::read(json, &mut whole).is_ok() {
        return Ok(whole.read(json));
    }
    // It may still be JSON with a value that cannot be represented: a number out of range, or half a surrogate pair, of
    // which some vendors send the other half with the next chunk.
    serde_json::from_str::<IgnoredAny>(json)?;
    whole = Whole::default();
    let mended = json::replace_lone_surrogates(json);
    Ok(match json::read(mended.as_deref().unwrap_or(json), &mut whole) {
        Ok(()) => whole.read(json),
        Err(_) => Read::Other,
    })
}

#[derive(Default)]
struct Whole {
    reading: ParsedChunk,
    /// It has a member that only chunks have.
    is_chunk: bool,
    error: Report,
    /// `"object":"error"`, with the error's members next to it.
    is_error: bool,
    own: Report,
}

impl Whole {
    fn read(self, json: &str) -> Read {
        if self.is_error {
            let mut all = self.own;
            all.add(self.error);
            return Read::Failure(all.failure(json));
        }
        if self.error.is_failure() || self.reading.finish_reason.as_deref() == Some("error") {
            return Read::Failure(self.error.failure(json));
        }
        if self.is_chunk { Read::Chunk(self.reading) } else { Read::Other }
    }
}

impl<'de> Receiver<'de> for Whole {
    fn member<D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        match name {
            "error" => {
                let mut error = Report::default();
                json::read_value(value, &mut error)?;
                self.error.add(error);
            }
            "choices" => {
                self.is_chunk = true;
                json::read_value(value, &mut Choices { reading: &mut self.reading, error: &mut self.error })?;
            }
            "usage" => {
                self.is_chunk = true;
                let mut usage = Counts::default();
                json::read_value(value, &mut usage)?;
                self.reading.usage = usage.read().or(self.reading.usage);
            }
            "object" => {
                let mut object = Text(None);
                json::read_value(value, &mut object)?;
                self.is_error = object.0.as_deref() == Some("error");
                self.is_chunk |= object.0.as_deref() == Some("chat.completion.chunk");
            }
            "message" | "code" | "type" => self.own.member(name, value)?,
            _ => json::skip(value)?,
        }
        Ok(())
    }
}

struct Choices<'r> {
    reading: &'r mut ParsedChunk,
    error: &'r mut Report,
}

impl<'de> Receiver<'de> for Choices<'_> {
    fn begin_list(&mut self) {
        self.reading.has_choices = true;
    }

    fn element<D: Deserializer<'de>>(&mut self, element: D) -> Result<(), D::Error> {
        let mut choice = Choice::default();
        json::read_value(element, &mut choice)?;
        if !choice.is_object {
            return Ok(());
        }
        let bit = 1u64.checked_shl(choice.index.0.unwrap_or(0).try_into().unwrap_or(u32::MAX)).unwrap_or(0);
        self.reading.choices |= bit;
        if let Some(reason) = choice.finish_reason.0.filter(|reason| !reason.is_empty()) {
            self.reading.ended |= bit;
            // One failed choice is a failure.
            if reason == "error" || self.reading.finish_reason.is_none() {
                self.reading.finish_reason = Some(reason);
            }
        }
        self.reading.generates |= choice.delta.generates;
        self.reading.text = self.reading.text.take().or(choice.delta.text.filter(|text| !text.is_empty()));
        self.error.add(choice.error);
        Ok(())
    }
}

#[derive(Default)]
struct Choice {
    is_object: bool,
    index: Count,
    delta: Delta,
    finish_reason: Text,
    error: Report,
}

impl<'de> Receiver<'de> for Choice {
    fn member<D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        self.is_object = true;
        match name {
            "index" => json::read_value(value, &mut self.index),
            // A whole completion has a message instead of a delta.
            "delta" | "message" => json::read_value(value, &mut self.delta),
            "finish_reason" => json::read_value(value, &mut self.finish_reason),
            "error" => json::read_value(value, &mut self.error),
            _ => json::skip(value),
        }
    }
}

#[derive(Default)]
struct Delta {
    text: Option<String>,
    generates: bool,
}

impl<'de> Receiver<'de> for Delta {
    fn member<D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        match name {
            "content" => {
                let mut content = Content::default();
                json::read_value(value, &mut content)?;
                self.generates |= content.something;
                self.text = content.text.or(self.text.take());
                Ok(())
            }
            "role" | "name" | "id" => json::skip(value),
            _ => {
                let mut other = Content::default();
                json::read_value(value, &mut other)?;
                self.generates |= other.something;
                Ok(())
            }
        }
    }
}

/// A value that may be text, and may be empty.
#[derive(Default)]
struct Content {
    text: Option<String>,
    something: bool,
}

impl<'de> Receiver<'de> for Content {
    fn text(&mut self, text: Cow<'de, str>) {
        self.something = !text.is_empty();
        self.text = Some(text.into_owned());
    }

    fn element<D: Deserializer<'de>>(&mut self, element: D) -> Result<(), D::Error> {
        let mut one = Presence(false);
        json::read_value(element, &mut one)?;
        self.something |= one.0;
        Ok(())
    }

    fn member<D: Deserializer<'de>>(&mut self, _name: &str, value: D) -> Result<(), D::Error> {
        self.something = true;
        json::skip(value)
    }
}

/// Whether a list has an element; only objects and strings count.
struct Presence(bool);

impl<'de> Receiver<'de> for Presence {
    fn text(&mut self, _text: Cow<'de, str>) {
        self.0 = true;
    }

    fn member<D: Deserializer<'de>>(&mut self, _name: &str, value: D) -> Result<(), D::Error> {
        self.0 = true;
        json::skip(value)
    }
}

/// `usage`: each count may be missing or something other than a number.
#[derive(Default)]
struct Counts {
    prompt: Count,
    completion: Count,
    total: Count,
}

impl Counts {
    fn read(self) -> Option<Usage> {
        let (prompt, completion, total) = (self.prompt.0, self.completion.0, self.total.0);
        prompt.or(completion).or(total)?;
        let (prompt_tokens, completion_tokens) = (prompt.unwrap_or(0), completion.unwrap_or(0));
        let total_tokens = total.unwrap_or(prompt_tokens.saturating_add(completion_tokens));
        Some(Usage { prompt_tokens, completion_tokens, total_tokens })
    }
}

impl<'de> Receiver<'de> for Counts {
    fn member<D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        match name {
            "prompt_tokens" => json::read_value(value, &mut self.prompt),
            "completion_tokens" => json::read_value(value, &mut self.completion),
            "total_tokens" => json::read_value(value, &mut self.total),
            _ => json::skip(value),
        }
    }
}
