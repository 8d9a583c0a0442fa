//! What of a chunk decides something.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::failure::{Report, ReportedFailure};
use crate::completion::Usage;
use crate::lenient::{self, Count, Source, Text, Wanted};

/// What a chunk of a stream, or a whole completion, says of what decides something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedChunk {
    /// The text that it adds, if any; never empty. Of several choices, the first one's that has some.
    pub text: Option<String>,
    /// Why the answer ended, where it says so.
    pub finish_reason: Option<String>,
    /// The token counts, where it has numbers.
    pub usage: Option<Usage>,
    /// It brings something that the model generated: text, a tool's arguments, its thinking. A chunk that
    /// only says who speaks, or what a filter found, does not.
    pub generates: bool,
    /// It has a list of choices, which may be empty.
    pub has_choices: bool,
    /// The choices that it names, a bit for each number under 64.
    pub(super) choices: u64,
    /// Those of them that it ends.
    pub(super) ended: u64,
}

/// JSON, read for what decides something.
pub(super) enum Read {
    Chunk(ParsedChunk),
    Failure(ReportedFailure),
    Other,
}

/// Reads `json`.
///
/// # Errors
/// When it is no JSON.
pub(super) fn read(json: &str) -> serde_json::Result<Read> {
    let mut whole = Whole::default();
    if lenient::read(json, &mut whole).is_ok() {
        return Ok(whole.read(json));
    }
    // What no program can hold may still be JSON: a number out of range, or half of a surrogate pair, of
    // which some vendors send the other half with the next chunk.
    serde_json::from_str::<IgnoredAny>(json)?;
    whole = Whole::default();
    let mended = lenient::replace_lone_surrogates(json);
    Ok(match lenient::read(mended.as_deref().unwrap_or(json), &mut whole) {
        Ok(()) => whole.read(json),
        Err(_) => Read::Other,
    })
}

#[derive(Default)]
struct Whole {
    reading: ParsedChunk,
    /// It has what only a chunk has.
    is_chunk: bool,
    error: Report,
    /// `"object":"error"`, with the error's members beside it.
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

impl<'de> Wanted<'de> for Whole {
    fn member<S: Source<'de>>(&mut self, name: &str, value: S) -> Result<(), S::Error> {
        match name {
            "error" => {
                let mut error = Report::default();
                value.read(&mut error)?;
                self.error.add(error);
            }
            "choices" => {
                self.is_chunk = true;
                value.read(&mut Choices { reading: &mut self.reading, error: &mut self.error })?;
            }
            "usage" => {
                self.is_chunk = true;
                let mut usage = Counts::default();
                value.read(&mut usage)?;
                self.reading.usage = usage.read().or(self.reading.usage);
            }
            "object" => {
                let mut object = Text(None);
                value.read(&mut object)?;
                self.is_error = object.0.as_deref() == Some("error");
                self.is_chunk |= object.0.as_deref() == Some("chat.completion.chunk");
            }
            "message" | "code" | "type" => self.own.member(name, value)?,
            _ => value.pass_over()?,
        }
        Ok(())
    }
}

struct Choices<'r> {
    reading: &'r mut ParsedChunk,
    error: &'r mut Report,
}

impl<'de> Wanted<'de> for Choices<'_> {
    fn element<S: Source<'de>>(&mut self, element: S) -> Result<(), S::Error> {
        self.reading.has_choices = true;
        let mut choice = Choice::default();
        element.read(&mut choice)?;
        if !choice.is_object {
            return Ok(());
        }
        let bit = 1u64.checked_shl(choice.index.0.unwrap_or(0).try_into().unwrap_or(u32::MAX)).unwrap_or(0);
        self.reading.choices |= bit;
        if let Some(reason) = choice.finish_reason.0.filter(|reason| !reason.is_empty()) {
            self.reading.ended |= bit;
            // One choice that failed is a failure.
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

impl<'de> Wanted<'de> for Choice {
    fn member<S: Source<'de>>(&mut self, name: &str, value: S) -> Result<(), S::Error> {
        self.is_object = true;
        match name {
            "index" => value.read(&mut self.index),
            // A whole completion has a message in the place of a delta.
            "delta" | "message" => value.read(&mut self.delta),
            "finish_reason" => value.read(&mut self.finish_reason),
            "error" => value.read(&mut self.error),
            _ => value.pass_over(),
        }
    }
}

#[derive(Default)]
struct Delta {
    text: Option<String>,
    generates: bool,
}

impl<'de> Wanted<'de> for Delta {
    fn member<S: Source<'de>>(&mut self, name: &str, value: S) -> Result<(), S::Error> {
        match name {
            "content" => {
                let mut content = Content::default();
                value.read(&mut content)?;
                self.generates |= content.something;
                self.text = content.text.or(self.text.take());
                Ok(())
            }
            "role" | "name" | "id" => value.pass_over(),
            _ => {
                let mut other = Content::default();
                value.read(&mut other)?;
                self.generates |= other.something;
                Ok(())
            }
        }
    }
}

/// A value that may be a text, and may be empty.
#[derive(Default)]
struct Content {
    text: Option<String>,
    something: bool,
}

impl<'de> Wanted<'de> for Content {
    fn text(&mut self, text: Cow<'de, str>) {
        self.something = !text.is_empty();
        self.text = Some(text.into_owned());
    }

    fn element<S: Source<'de>>(&mut self, element: S) -> Result<(), S::Error> {
        let mut one = Presence(false);
        element.read(&mut one)?;
        self.something |= one.0;
        Ok(())
    }

    fn member<S: Source<'de>>(&mut self, _name: &str, value: S) -> Result<(), S::Error> {
        self.something = true;
        value.pass_over()
    }
}

/// Whether there is an element in a list, of which only objects and texts are usual.
struct Presence(bool);

impl<'de> Wanted<'de> for Presence {
    fn text(&mut self, _text: Cow<'de, str>) {
        self.0 = true;
    }

    fn member<S: Source<'de>>(&mut self, _name: &str, value: S) -> Result<(), S::Error> {
        self.0 = true;
        value.pass_over()
    }
}

/// `usage`: any of the counts may be missing, or be something else than a number.
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

impl<'de> Wanted<'de> for Counts {
    fn member<S: Source<'de>>(&mut self, name: &str, value: S) -> Result<(), S::Error> {
        match name {
            "prompt_tokens" => value.read(&mut self.prompt),
            "completion_tokens" => value.read(&mut self.completion),
            "total_tokens" => value.read(&mut self.total),
            _ => value.pass_over(),
        }
    }
}
