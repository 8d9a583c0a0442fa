//! The load of a phase: expected, seen by the vendor, and disturbed by a busy machine.

use serde::{Deserialize, Serialize};

/// The load that a phase should put on an arm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectedLoad {
    /// Streams that should be open throughout the measurement, including those of earlier phases.
    pub streams: u64,
    /// The vendor's time to the first token.
    pub first_token_ms: f64,
    /// The vendor's time between two tokens.
    pub gap_ms: f64,
    /// Tokens of the shortest stream.
    pub tokens: u64,
}

/// The load on the vendor in a phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VendorLoad {
    /// Active generations throughout the phase: the 10th percentile of the samples.
    pub active_throughout: u64,
    /// Active generations, mean of the samples.
    pub active_mean: f64,
    /// Calls that the vendor failed, hung or truncated since the start of the phase, including its ramp.
    pub failed: u64,
    /// Calls completed from the start of the run to the end of the phase.
    pub completed_so_far: u64,
    /// Tokens sent by the vendor until then.
    pub tokens_sent_so_far: u64,
    /// Tokens received by the clients until then.
    pub tokens_received_so_far: u64,
}

/// How busy the machine was in a phase: how long idle parts waited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Disturbance {
    /// Largest delay of the generator in sending a probe.
    pub probe_late_ms: f64,
    /// Slowest answer of the vendor to a request for its counts, which is cheap.
    pub vendor_answer_ms: f64,
}
