//! What was observed: latencies, streams, probes, processes, and the generator's own lag.

/// A latency distribution.
mod latencies;
/// Open-loop health probes on a thread of their own.
mod prober;
/// What the server's process uses, a row per 250 ms.
mod sampler;
/// What became of a set of streams.
mod stream_log;
/// All of it side by side, a row per 250 ms.
mod timeline;

pub use latencies::Latencies;
pub use prober::{LagLog, ProbeKind, ProbeLog, ProbeOutcome, ProbePlan, ProbeRecord, Prober};
pub use sampler::{Sample, Sampler, Watched};
pub use stream_log::{Ended, StreamGuard, StreamLog};
pub use timeline::{TICK, timeline};
