//! Measurements: latencies, streams, probes, processes, and the generator's own lag.

mod children;
mod closed_loop;
mod ended;
mod lag_log;
mod latencies;
mod objective_tally;
mod precise_sleep;
mod probe;
mod probe_log;
mod prober;
mod process_usage;
mod sampler;
mod server_sockets;
mod stream_end;
mod stream_guard;
mod stream_listener;
mod stream_log;
mod stream_tally;
mod ticker;
mod timeline;
mod token_times;

pub use closed_loop::{ClosedLoop, ClosedLoopPlan, ClosedLoopRecord, check_once, closed_loop_stats};
pub use lag_log::LagLog;
pub use latencies::{HistogramError, Latencies};
pub use precise_sleep::sleep_until;
pub use probe::{HealthAnswer, ProbeKind, ProbePlan, get_health};
pub use probe_log::{ProbeLog, ProbeOutcome, ProbeRecord, ProbeSeen, probe_stats};
pub use prober::Prober;
pub use process_usage::{Pids, ProcessUsage, is_running, one_process, with_children, with_descendants};
pub use sampler::{SAMPLE_INTERVAL, Sample, Sampler, ServerSamples};
pub use server_sockets::{fewest_descriptors_left, listens};
pub use stream_end::StreamEnd;
pub use stream_guard::{StreamAnswer, StreamGuard};
pub use stream_listener::{StreamListener, StreamNews};
pub use stream_log::StreamLog;
pub use timeline::{count_probes, timeline, timeline_row};
