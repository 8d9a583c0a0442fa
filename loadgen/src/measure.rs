//! What was observed: latencies, streams, probes, processes, and the generator's own lag.

mod alarm;
mod closed_loop;
mod latencies;
mod metronome;
mod probe_log;
mod prober;
mod sampler;
mod stall;
mod stream_log;
mod timeline;

pub use alarm::sleep_until;
pub use closed_loop::{Answered, ClosedLoop, ClosedLoopPlan, ask_once, closed_loop_stats};
pub use latencies::Latencies;
pub use probe_log::{ProbeLog, ProbeOutcome, ProbeRecord};
pub use prober::{Answer, LagLog, ProbeKind, ProbePlan, Prober, ask_health};
pub use sampler::{Sample, Sampler, Watched};
pub use stream_log::{Ended, StreamGuard, StreamLog};
pub use timeline::{TICK, timeline};
