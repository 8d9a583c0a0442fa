//! Why there is no diagnosis.

use std::time::Duration;

use super::seen::IdleStream;
use crate::http::HttpError;
use crate::numbers::{in_millis, millis};
use crate::traffic::excerpt;

/// Why there is no diagnosis.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// An answer that is no stream and no check.
    #[error("{request} answered {answer}, without any load: {advice}")]
    Answer {
        /// `POST /chat/stream`.
        request: String,
        /// The status and what else is known of it.
        answer: String,
        /// What to do.
        advice: String,
        /// Whether the arguments are at fault, and not the server.
        is_usage: bool,
    },
    /// No answer.
    #[error("{request} has no answer within {}, without any load: {advice}", millis(in_millis(*.within)))]
    NoAnswer {
        /// `POST /chat/stream`.
        request: String,
        /// How long it was awaited.
        within: Duration,
        /// What to do.
        advice: String,
    },
    /// No time.
    #[error("--budget was over before any load, while {0} was looked at: give a longer one")]
    NoTime(&'static str),
    /// The server could not be asked.
    #[error("{request}, without any load: {source}{hint}")]
    Http {
        /// `POST /chat/stream`.
        request: String,
        /// The cause.
        source: HttpError,
        /// What that may mean.
        hint: &'static str,
    },
}

impl DiagnoseError {
    /// Whether the arguments are at fault, and not the server.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, DiagnoseError::Answer { is_usage: true, .. })
    }

    /// The arguments are at fault.
    pub(super) fn usage(request: &str, answer: impl Into<String>, advice: impl Into<String>) -> Self {
        DiagnoseError::answer(request, answer, advice, true)
    }

    /// The server is.
    pub(super) fn server(request: &str, answer: impl Into<String>, advice: impl Into<String>) -> Self {
        DiagnoseError::answer(request, answer, advice, false)
    }

    /// An answer with which there is no diagnosis: because of the arguments, or of the server.
    pub(super) fn answer(request: &str, answer: impl Into<String>, advice: impl Into<String>, is_usage: bool) -> Self {
        DiagnoseError::Answer { request: request.to_owned(), answer: answer.into(), advice: advice.into(), is_usage }
    }

    pub(super) fn http(request: &str, source: HttpError) -> Self {
        let is_no_http = matches!(&source, HttpError::Exchange(error) if error.is_parse());
        let hint = if is_no_http { " (what answers is no HTTP: is it https?)" } else { "" };
        DiagnoseError::Http { request: request.to_owned(), source, hint }
    }

    /// A redirect, if it is one. `flag` names the path.
    pub(super) fn redirect(request: &str, seen: &IdleStream, flag: &str) -> Option<Self> {
        let location = seen.header("location");
        if !(300..400).contains(&seen.status) || location.is_empty() {
            return None;
        }
        let answer = format!("{}, a redirect to {}", seen.status, excerpt(None, location.as_bytes()));
        Some(DiagnoseError::usage(request, answer, format!("give the place it leads to, with --url and {flag}")))
    }

    /// Whether an answer with this status is one to a request without a key, or with a wrong one.
    pub(super) fn wants_a_key(status: u16) -> bool {
        matches!(status, 401 | 403)
    }

    /// Whether the next request would be answered otherwise, although it is the same.
    pub(super) fn is_for_now(status: u16) -> bool {
        matches!(status, 408 | 425 | 429) || status >= 500
    }
}
