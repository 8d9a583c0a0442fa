//! The figures that a diagnosis has beside its finding, as those of any run: of the idle server and under load, of its
//! streams and its process, and over time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::MeasuredServer;
use crate::http::Endpoint;
use crate::lab::{BASELINE, LOADED};
use crate::measure::{Pids, ProbeLog, Sampler, ServerSamples, StreamLog};
use crate::result::ArmResult;

/// The phase in which the streams are closed and the server should recover.
const RECOVERY: &str = "recovery";

/// What is recorded of a server while it is diagnosed.
pub(super) struct Recording {
    origin: Instant,
    /// The streams of the ramp.
    pub(super) streams: Arc<StreamLog>,
    /// The server's processes.
    pub(super) samples: Arc<ServerSamples>,
    sampler: Sampler,
    /// When the idle server had been probed, when the ramp began and when it ended.
    idle: Duration,
    ramp: Option<(Duration, Option<Duration>)>,
}

impl Recording {
    /// Starts to record; `origin` is the start of the run.
    pub(super) fn start(origin: Instant, pids: Option<Pids>) -> Self {
        let streams = Arc::new(StreamLog::default());
        let samples = Arc::new(ServerSamples::new(pids, vec![streams.clone()]));
        let sampler = Sampler::start(origin, vec![samples.clone()]);
        Recording { origin, streams, samples, sampler, idle: Duration::ZERO, ramp: None }
    }

    /// The idle server has been probed.
    pub(super) fn idle_ends(&mut self) {
        self.idle = self.origin.elapsed();
    }

    /// The first stream is opened.
    pub(super) fn ramp_begins(&mut self) {
        self.ramp = Some((self.origin.elapsed(), None));
    }

    /// The streams are closed.
    pub(super) fn ramp_ends(&mut self) {
        if let Some((_, end)) = &mut self.ramp {
            *end = Some(self.origin.elapsed());
        }
    }

    /// The figures of `server`, with those of its probes.
    pub(super) fn finish(self, server: &Endpoint, probes: &[Arc<ProbeLog>]) -> ArmResult {
        self.sampler.finish();
        let now = self.origin.elapsed();
        let measured = || MeasuredServer { probes, samples: &self.samples };
        let mut phases = vec![measured().phase(BASELINE, Duration::ZERO, self.idle)];
        let mut loaded_for = Duration::ZERO;
        if let Some((from, to)) = self.ramp {
            let to = to.unwrap_or(now);
            loaded_for = to - from;
            phases.extend([measured().phase(LOADED, from, to), measured().phase(RECOVERY, to, now)]);
        }
        let streams = self.streams.stats(loaded_for);
        ArmResult { program: server.to_string(), streams, ..measured().run(phases, LOADED) }
    }
}
