//! A failure that a vendor reports.

use std::borrow::Cow;
use std::fmt;

use serde::de::Deserializer;

use crate::json::{self, Number, Receiver, Text};

/// Most characters kept of a reason, which is logged.
const REASON_CHARS_MAX: usize = 500;

/// Most elements kept of a list of reasons.
const LISTED_MAX: usize = 5;

/// How deep a reason may be nested: `{"error":{"detail":[{"msg":"..."}]}}` is the deepest in use.
const DEPTH_MAX: u8 = 5;

/// A failure that a vendor reports, in any of the usual shapes: OpenAI's `{"error":{"message","type",
/// "code"}}` whose code is a string, a number or missing, `{"error":"..."}`, FastAPI's
/// `{"detail":"..."}` and `{"detail":[{"msg":"..."}]}`, `{"message":"..."}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedFailure {
    /// What the vendor says, at most 500 characters. For the log only: it may contain internals of the vendor.
    pub reason: String,
    /// Its `code`, or its `type` if there is none; a number as text.
    pub code: Option<String>,
}

impl fmt::Display for ReportedFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) if !self.reason.contains(code.as_str()) => write!(formatter, "{} ({code})", self.reason),
            _ => formatter.write_str(&self.reason),
        }
    }
}

impl ReportedFailure {
    /// Parses the body of an error response or the data of an error event. If it has none of the usual shapes, the whole
    /// text is the reason.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let mut report = Report::default();
        // What is not JSON may still be a sentence.
        let _ = json::read(&text, &mut report);
        report.failure(&text)
    }

    /// Whether every further attempt would fail too: the account with the vendor is used up, and only its owner can change
    /// that.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.code.as_deref() == Some("insufficient_quota")
    }
}

/// What a vendor says about a failure, as parsed so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    message: Option<String>,
    code: Option<String>,
    kind: Option<String>,
    /// There is a value other than null, false, zero or empty, which some vendors send with every answer.
    said: bool,
    listed: usize,
    depth: u8,
}

impl Report {
    /// Whether a failure is reported at all.
    pub(super) fn is_failure(&self) -> bool {
        self.said
    }

    /// The failure; `whole` is the text that was parsed.
    pub(super) fn failure(self, whole: &str) -> ReportedFailure {
        let message = self.message.filter(|message| !message.trim().is_empty());
        let reason = message.unwrap_or_else(|| whole.trim().to_owned());
        let reason = if reason.is_empty() { "no reason given".to_owned() } else { shorten(&reason) };
        let quota = |code: &String| code == "insufficient_quota";
        let code = self.kind.clone().filter(quota).or(self.code).or(self.kind);
        ReportedFailure { reason, code: code.map(|code| shorten(&code)) }
    }

    /// Adds what another value says, where this one says nothing.
    pub(super) fn add(&mut self, other: Report) {
        self.message = self.message.take().or(other.message);
        // What is nested deeper is more specific: `{"type":"error","error":{"type":"overloaded_error"}}`.
        self.code = other.code.or(self.code.take());
        self.kind = other.kind.or(self.kind.take());
        self.said |= other.said;
    }

    fn inner(&self) -> Self {
        Report { depth: self.depth + 1, ..Report::default() }
    }
}

impl<'de> Receiver<'de> for Report {
    fn text(&mut self, text: Cow<'de, str>) {
        self.said |= !text.is_empty();
        self.message = Some(shorten(&text));
    }

    fn number(&mut self, number: Number) {
        self.said |= number != Number::Whole(0);
        self.message = Some(number_text(number));
    }

    fn boolean(&mut self, truth: bool) {
        self.said |= truth;
    }

    fn element<D: Deserializer<'de>>(&mut self, element: D) -> Result<(), D::Error> {
        if self.depth >= DEPTH_MAX || self.listed >= LISTED_MAX {
            return json::skip(element);
        }
        let mut one = self.inner();
        json::read_value(element, &mut one)?;
        self.said |= one.said;
        if let Some(next) = one.message.take() {
            self.listed += 1;
            self.message = Some(self.message.take().map_or(next.clone(), |before| format!("{before}; {next}")));
        }
        self.add(one);
        Ok(())
    }

    fn member<D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        self.said = true;
        match name {
            "code" => {
                let mut code = Code(None);
                json::read_value(value, &mut code)?;
                self.code = code.0.or(self.code.take());
            }
            "type" => {
                let mut kind = Text(None);
                json::read_value(value, &mut kind)?;
                self.kind = kind.0.or(self.kind.take());
            }
            "message" | "msg" | "error" | "errors" | "detail" | "reason" if self.depth < DEPTH_MAX => {
                let mut inner = self.inner();
                json::read_value(value, &mut inner)?;
                if name == "message" {
                    self.message = inner.message.take().or(self.message.take());
                }
                self.add(inner);
            }
            _ => json::skip(value)?,
        }
        Ok(())
    }
}

/// A code: a string, or a number as text.
struct Code(Option<String>);

impl<'de> Receiver<'de> for Code {
    fn text(&mut self, text: Cow<'de, str>) {
        self.0 = Some(text.into_owned());
    }

    fn number(&mut self, number: Number) {
        self.0 = Some(number_text(number));
    }
}

fn number_text(number: Number) -> String {
    match number {
        Number::Whole(number) => number.to_string(),
        Number::Other(number) => number.to_string(),
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}
