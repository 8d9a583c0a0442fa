//! What a phase asked of a server and its vendor, what the vendor did of it, and what kept idle
//! processes waiting meanwhile.

use serde::{Deserialize, Serialize};

use super::Quantiles;

/// What the streams of a phase asked for, where they should flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectedLoad {
    /// Streams that should be open as long as the phase is measured, those of earlier phases included.
    pub streams: u64,
    /// The vendor's time to the first token.
    pub first_token_ms: f64,
    /// The vendor's time from token to token.
    pub gap_ms: f64,
    /// Tokens of the shortest stream.
    pub tokens: u64,
}

/// What the vendor had to do in a phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct VendorLoad {
    /// Generations under way in all but a tenth of the samples: how many there were throughout.
    pub active_throughout: u64,
    /// Generations under way in the mean of the samples.
    pub active_mean: f64,
    /// Calls that the vendor failed, hung or cut since the phase began, ramp included.
    pub failed: u64,
    /// Calls that it had completed by the end of the phase, since the start of the run.
    pub completed_so_far: u64,
    /// Tokens that the vendor had sent by then.
    pub tokens_sent_so_far: u64,
    /// Tokens that had reached the clients by then.
    pub tokens_received_so_far: u64,
}

/// What kept waiting in a phase that had nothing to wait for: the measure of a busy machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Disturbance {
    /// How late the generator sent a probe, at most.
    pub probe_late_ms: f64,
    /// How long the vendor took to say what it had under way, at most. The question costs it nothing.
    pub vendor_answer_ms: f64,
}

/// What became of the whole calls of a phase. `requested = ok + failed + left`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CallStats {
    /// Calls that were due.
    pub requested: u64,
    /// Answered 2xx, whole.
    pub ok: u64,
    /// Answered with another status, or not at all.
    pub failed: u64,
    /// Given up by their client, or under way still at the end of the run.
    #[serde(rename = "left")]
    pub disconnected: u64,
    /// From when a call was due until its whole answer, of those answered 2xx.
    pub latency_ms: Quantiles,
}
