//! The calls of a sequence, one after another.

use serde::{Deserialize, Serialize};

/// The calls of a sequence, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SequenceStats {
    /// Each call.
    pub calls: Vec<SequenceCall>,
    /// The first call that failed, if any.
    pub first_failure: Option<FirstFailure>,
}

/// One call of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SequenceCall {
    /// Its place, from 1.
    pub call: u32,
    /// Tokens of its prompt.
    pub request_tokens: u64,
    /// Most tokens of its answer.
    pub answer_tokens: u64,
    /// Tokens of all calls up to this one.
    pub cumulative_tokens: u64,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// From sending the request to the last byte of the answer.
    pub duration_ms: f64,
    /// Whether it succeeded.
    pub ok: bool,
    /// Why it failed: the beginning of the answer, or what happened instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Tokens of prompt and answer as the vendor counted them, if the answer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_tokens: Option<u64>,
}

/// Where a sequence failed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FirstFailure {
    /// The call, from 1.
    pub call: u32,
    /// Tokens of all calls up to it.
    pub cumulative_tokens: u64,
}

impl SequenceStats {
    /// The figures of `calls`, which are in order.
    #[must_use]
    pub fn new(calls: Vec<SequenceCall>) -> Self {
        let first = calls.iter().find(|call| !call.ok);
        let first_failure =
            first.map(|call| FirstFailure { call: call.call, cumulative_tokens: call.cumulative_tokens });
        SequenceStats { calls, first_failure }
    }

    /// Calls that succeeded.
    #[must_use]
    pub fn ok(&self) -> u64 {
        self.calls.iter().filter(|call| call.ok).count() as u64
    }

    /// Tokens of all calls.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.calls.last().map_or(0, |call| call.cumulative_tokens)
    }
}
