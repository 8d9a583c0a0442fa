//! A call to the vendor, whichever client makes it.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway::{KeyHash, Route, SummaryRequest, UserPermit};
use resilience::Deadline;
use wire::upstream_rejection;

use crate::errors::UpstreamFailure;
use crate::format::Format;

/// A call to the vendor.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The vendor's route.
    pub(crate) route: Route,
    /// The request's body; empty for a route that takes none.
    pub(crate) body: Bytes,
    /// Passed on as `X-Request-ID`, so that one request can be followed through both logs.
    pub(crate) request_id: String,
    /// Headers that steer the mock vendor; empty unless the server may pass them on.
    pub(crate) mock_headers: Vec<(String, String)>,
    /// By when it must be answered, and by when a stream must have its first token: the SLA, counted from when the request
    /// was read.
    pub(crate) deadline: Deadline,
    /// What the client gets of a stream.
    pub(crate) format: Format,
    /// The key that it was asked for with, on routes that require one.
    pub(crate) key: Option<KeyHash>,
    /// The user's permit, where users have limits.
    pub(crate) user_permit: Option<Arc<UserPermit<KeyHash>>>,
    /// Its model, if that has a quota of its own.
    pub(crate) model: Option<Arc<str>>,
    /// What its attempts have found out so far.
    pub(crate) progress: Arc<Progress>,
}

impl Call {
    /// The call for a summary of `answer`, the answer to this one. It has the same deadline and the same user's permit.
    ///
    /// # Errors
    /// [`UpstreamFailure::UnexpectedFormat`] for an answer without text.
    pub(crate) fn for_summary(&self, answer: &[u8]) -> Result<Call, UpstreamFailure> {
        let body = SummaryRequest::of(&self.body, answer)?.body.into();
        Ok(Call { body, ..self.clone() })
    }
}

/// What the attempts of a request have found out so far, for the headers of its answer.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    rate_limits: Mutex<Vec<(String, String)>>,
}

impl Progress {
    /// Counts another attempt.
    pub(crate) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Relaxed);
    }

    /// Attempts so far; 0 where they are not counted.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Relaxed)
    }

    /// Keeps the headers of an answer in which the vendor states its rate limits.
    pub(crate) fn keep_rate_limits(&self, headers: &[(&str, &str)]) {
        let rate_limits = upstream_rejection::rate_limits(headers.iter().copied()).collect();
        *self.rate_limits.lock().unwrap_or_else(PoisonError::into_inner) = rate_limits;
    }

    /// The headers in which the vendor stated its rate limits.
    pub(crate) fn take_rate_limits(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.rate_limits.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
