//! Parses fault rules, with errors that name what is allowed.

use std::str::FromStr;
use std::time::Duration;

use wire::chat::MAX_TOKENS_MAX;

use super::{Ending, Fault, Replacement, Rule};
use crate::latency::parse_delay;

/// A fault rule that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// A word that is unknown, or not allowed in its place.
    #[error("in '{rule}': unknown word '{word}', expected {expected}")]
    Word {
        /// The rule, shortened.
        rule: String,
        /// The unknown word.
        word: String,
        /// The words that are allowed in its place.
        expected: &'static str,
    },
    /// A value that is not allowed.
    #[error("in '{rule}': {word} is '{found}', expected {expected}")]
    Value {
        /// The rule, shortened.
        rule: String,
        /// The word that the value belongs to.
        word: String,
        /// The value; empty if there is none.
        found: String,
        /// What is allowed.
        expected: String,
    },
}

const FAULTS: &str = "status, hang, hang-after, reset, reset-after, close, close-after, cut-after, malformed-after, \
                      error-event-after, slow-headers, drip or ignore-disconnect";

impl FromStr for Rule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut words = text.split(';').map(|part| Word::read(text, part));
        let first_word = words.next().unwrap_or_else(|| unreachable!("a split has at least one part"));
        let mut rule = Rule { fault: first_word.fault()?, rate: 1.0, first: None };
        for word in words {
            match (word.name, &mut rule.fault) {
                ("rate", _) => {
                    rule.rate = word.parse("a number above 0, up to 1", |rate| (0.0 < *rate) & (*rate <= 1.0))?;
                }
                ("first", _) => rule.first = Some(word.parse("a whole number from 1", |first| *first >= 1)?),
                ("retry-after", Fault::ReplaceAnswer(Replacement::Status(_, retry_after))) => {
                    *retry_after = Some(word.parse("whole seconds from 0 to 86400", |seconds| *seconds <= 86_400)?);
                }
                (_, Fault::ReplaceAnswer(Replacement::Status(..))) => {
                    return Err(word.unknown("retry-after, rate or first"));
                }
                _ => return Err(word.unknown("rate or first")),
            }
        }
        Ok(rule)
    }
}

/// `name` or `name=value`, a part of a rule.
struct Word<'a> {
    rule: &'a str,
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Word<'a> {
    fn read(rule: &'a str, part: &'a str) -> Self {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (part.trim(), None),
        };
        Word { rule, name, value }
    }

    fn fault(&self) -> Result<Fault, FaultError> {
        let after = |ending| Ok(Fault::EndAfter(self.parse(TOKENS, |tokens| *tokens <= MAX_TOKENS_MAX)?, ending));
        let alone = |fault| match self.value {
            None => Ok(fault),
            Some(found) => Err(self.bad_value(found, "no value")),
        };
        match self.name {
            "status" => {
                let status = self.parse("an error status from 400 to 599", |status| (400..=599).contains(status))?;
                Ok(Fault::ReplaceAnswer(Replacement::Status(status, None)))
            }
            "hang" => alone(Fault::ReplaceAnswer(Replacement::Hang)),
            "reset" => alone(Fault::ReplaceAnswer(Replacement::Reset)),
            "close" => alone(Fault::ReplaceAnswer(Replacement::Close)),
            "hang-after" => after(Ending::Hang),
            "reset-after" => after(Ending::Reset),
            "close-after" => after(Ending::Close),
            "cut-after" => after(Ending::Cut),
            "malformed-after" => after(Ending::Malformed),
            "error-event-after" => after(Ending::ErrorEvent),
            "slow-headers" => self.delay().map(Fault::SlowHeaders),
            "drip" => self.delay().map(Fault::Drip),
            "ignore-disconnect" => alone(Fault::IgnoreDisconnect),
            _ => Err(self.unknown(FAULTS)),
        }
    }

    fn parse<T: FromStr>(&self, expected: &str, allowed: impl FnOnce(&T) -> bool) -> Result<T, FaultError> {
        let found = self.value.unwrap_or_default();
        found.parse().ok().filter(allowed).ok_or_else(|| self.bad_value(found, expected))
    }

    fn delay(&self) -> Result<Duration, FaultError> {
        let found = self.value.unwrap_or_default();
        parse_delay(found).map_err(|_| self.bad_value(found, "a duration such as 250ms or 3s, at most a day"))
    }

    fn bad_value(&self, found: &str, expected: &str) -> FaultError {
        FaultError::Value {
            rule: shorten(self.rule),
            word: shorten(self.name),
            found: shorten(found),
            expected: expected.to_owned(),
        }
    }

    fn unknown(&self, expected: &'static str) -> FaultError {
        FaultError::Word { rule: shorten(self.rule), word: shorten(self.name), expected }
    }
}

const TOKENS: &str = "a number of tokens from 0 to 1000000";

/// At most 60 characters: an error should not echo a page of text.
fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [&str; 16] = [
        "status=503",
        "status=429;retry-after=2",
        "status=500;retry-after=0;rate=0.25;first=3",
        "hang",
        "hang-after=10",
        "reset",
        "reset-after=10",
        "close",
        "close-after=10",
        "cut-after=0",
        "malformed-after=10",
        "error-event-after=10",
        "slow-headers=3s",
        "drip=2s;first=2",
        "drip=250ms",
        "ignore-disconnect;rate=0.5",
    ];

    #[test]
    fn every_rule_is_printed_as_it_was_parsed() {
        for text in RULES {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            assert!(FAULTS.contains(rule.fault.name()));
        }
    }

    #[test]
    fn spaces_and_the_order_of_options_do_not_matter() {
        let rule: Rule = " status = 503 ; first=1; rate=0.5 ".parse().unwrap();
        assert_eq!(rule.to_string(), "status=503;rate=0.5;first=1");
    }

    #[test]
    fn an_invalid_rule_names_the_word_and_what_is_allowed() {
        for (text, said) in [
            ("", "unknown word ''"),
            ("statsu=503", "unknown word 'statsu', expected status, hang"),
            ("rate=0.3", "unknown word 'rate'"),
            ("status", "status is '', expected an error status from 400 to 599"),
            ("status=200", "status is '200'"),
            ("status=abc", "status is 'abc'"),
            ("hang=3", "hang is '3', expected no value"),
            ("hang-after", "hang-after is '', expected a number of tokens"),
            ("reset-after=-1", "reset-after is '-1'"),
            ("drip=2", "drip is '2', expected a duration"),
            ("slow-headers=2days", "slow-headers is '2days'"),
            ("hang;rate=0", "rate is '0', expected a number above 0"),
            ("hang;rate=1.5", "rate is '1.5'"),
            ("hang;rate=NaN", "rate is 'NaN'"),
            ("hang;first=0", "first is '0'"),
            ("hang;retry-after=2", "unknown word 'retry-after', expected rate or first"),
            ("status=429;retry-after=soon", "retry-after is 'soon'"),
            ("hang;", "unknown word ''"),
            ("hang;;rate=1", "unknown word ''"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert!("x".repeat(5000).parse::<Rule>().unwrap_err().to_string().len() < 400);
    }
}
