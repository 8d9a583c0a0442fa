//! What was observed: latencies, streams, probes, processes, and the generator's own lag.

/// Waking on time, to tens of microseconds.
mod alarm;
/// One question after the other, as scripts measure.
mod closed_loop;
/// A latency distribution.
mod latencies;
/// When probes are due.
mod metronome;
/// What became of a set of probes.
mod probe_log;
/// Open-loop health probes on a thread of their own.
mod prober;
/// What the server's process uses, a row per 250 ms.
mod sampler;
/// When a stream that is open still has stalled.
mod stall;
/// What became of a set of streams.
mod stream_log;
/// All of it side by side, a row per 250 ms.
mod timeline;

pub use alarm::sleep_until;
pub use closed_loop::{Answered, ClosedLoop, ClosedLoopPlan, ask_once, closed_loop_stats};
pub use latencies::Latencies;
pub use probe_log::{ProbeLog, ProbeOutcome, ProbeRecord};
pub use prober::{Answer, LagLog, ProbeKind, ProbePlan, Prober, ask_health};
pub use sampler::{Sample, Sampler, Watched};
pub use stream_log::{Ended, StreamGuard, StreamLog};
pub use timeline::{TICK, timeline};
