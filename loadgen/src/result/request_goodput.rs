//! What is required of each request, and how many met it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What each request must meet by itself: `ttft<500ms`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestObjective {
    /// As it was given.
    pub text: String,
    /// What is compared.
    pub time: RequestTime,
    /// With what.
    pub limit: Duration,
    /// Whether the limit itself meets it.
    pub includes_limit: bool,
}

/// A time of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestTime {
    /// From when it was due to its first token.
    FirstToken,
    /// The mean time between its tokens. A request with one token has none, and meets any limit.
    TimePerToken,
    /// From when it was due to its end.
    EndToEnd,
}

impl RequestObjective {
    /// Whether a request that took this long meets it.
    #[must_use]
    pub fn allows(&self, took: Duration) -> bool {
        took < self.limit || (self.includes_limit && took == self.limit)
    }
}

/// Requests that met the objectives for each request (`run --slo 'ttft<500ms'`): what the literature calls goodput.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequestGoodput {
    /// Requests that were completed and met all of them.
    pub met: u64,
    /// Requests that could have: all but those that the generator closed in good order. Failed, truncated and stalled ones
    /// are among them.
    pub of: u64,
    /// Those that met all, per second of the measured time.
    pub per_second: f64,
    /// Completed requests that missed an objective, by objective; one request may have missed several.
    pub missed: BTreeMap<String, u64>,
}

impl RequestGoodput {
    /// The share that met all, in percent; `None` if there was no request that could have.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        (self.of > 0).then(|| 100.0 * self.met as f64 / self.of as f64)
    }
}
