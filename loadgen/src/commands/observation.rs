//! Measures one server, from the idle baseline to the result.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use wire::ledger::Ledger;

use super::invocation;
use super::target_view::TargetView;
use crate::engine::{MeasuredServer, Tick, Ticks};
use crate::environment::environment;
use crate::http::Endpoint;
use crate::measure::{
    LagLog, Latencies, ProbeLog, ProbePlan, Prober, Sampler, ServerSamples, StreamLog, one_process, probe_stats,
};
use crate::result::{ArmResult, Generator, ProbeStats, RunResult, StreamStats, TargetResult};

/// A part of a run with figures of its own. Times are since the start of the run.
#[derive(Debug, Clone)]
pub(super) struct PhaseWindow {
    pub(super) name: String,
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl PhaseWindow {
    pub(super) fn new(name: impl Into<String>, from: Duration, to: Duration) -> Self {
        PhaseWindow { name: name.into(), from, to }
    }
}

/// Data about the run for its result.
pub(super) struct RunDescription {
    pub(super) command: &'static str,
    pub(super) parameters: BTreeMap<String, Value>,
    /// In order; the first is the baseline.
    pub(super) windows: Vec<PhaseWindow>,
    /// The name of the window under load.
    pub(super) loaded: String,
    /// What became of its requests.
    pub(super) streams: StreamStats,
    /// The same of each server, if there are several.
    pub(super) targets: Vec<TargetResult>,
    /// The vendor's ledger, if there is a vendor.
    pub(super) vendor: Option<Ledger>,
}

/// A server that this run did not start, being measured.
pub(super) struct Observation {
    pub(super) lag: Arc<LagLog>,
    pub(super) streams: Arc<StreamLog>,
    pub(super) probes: Vec<Arc<ProbeLog>>,
    /// The probes of each server.
    of_each: Vec<Vec<Arc<ProbeLog>>>,
    endpoints: Vec<Endpoint>,
    origin: Instant,
    /// The same by the clock of the machine, which is compared with those of others.
    started: SystemTime,
    ticks: Ticks,
    prober: Option<Prober>,
    probe_timeout: Duration,
    sampler: Sampler,
    server_samples: Arc<ServerSamples>,
}

impl Observation {
    /// Starts to probe the server, which should still be idle, until [`Observation::last_probes`].
    pub(super) fn begin(endpoint: &Endpoint, plan: ProbePlan, pid: Option<u32>) -> Self {
        Self::begin_several(std::slice::from_ref(endpoint), &plan, pid)
    }

    /// The same of several servers, which are probed alike and counted together.
    pub(super) fn begin_several(endpoints: &[Endpoint], plan: &ProbePlan, pid: Option<u32>) -> Self {
        let (lag, streams) = (Arc::new(LagLog::default()), Arc::new(StreamLog::default()));
        let (origin, started, probe_timeout) = (Instant::now(), SystemTime::now(), plan.timeout);
        let (prober, probes, of_each) = Prober::start_together(origin, endpoints, plan, lag.clone());
        let server_samples = Arc::new(ServerSamples::new(pid.map(one_process), vec![streams.clone()]));
        let sampler = Sampler::start(origin, vec![server_samples.clone()]);
        let (prober, endpoints) = (Some(prober), endpoints.to_vec());
        Observation {
            lag,
            streams,
            probes,
            of_each,
            endpoints,
            origin,
            started,
            ticks: Ticks::since(origin),
            prober,
            probe_timeout,
            sampler,
            server_samples,
        }
    }

    /// Time since the start.
    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Waits for `duration` and shows every tick.
    pub(super) async fn pass(&mut self, duration: Duration, view: &mut TargetView<'_>) {
        let (samples, probes) = (&self.server_samples, &self.probes);
        let report = |tick: Tick| -> Result<(), Infallible> {
            view.tick(tick, samples, probes);
            Ok(())
        };
        // Showing it cannot fail.
        let Ok(()) = self.ticks.wait(duration, report).await;
    }

    /// Waits for `done` and shows every tick.
    pub(super) async fn pass_until(&mut self, done: impl Future<Output = ()>, view: &mut TargetView<'_>) {
        let (samples, probes) = (&self.server_samples, &self.probes);
        self.ticks.during(done, |tick| view.tick(tick, samples, probes)).await;
    }

    /// Stops probing and waits until every sent probe is answered or timed out, and for `others`. The load must stay on
    /// for that long: closing the streams would free a server that hangs, and its probes would be answered.
    pub(super) async fn last_probes(&mut self, others: impl Future<Output = ()>, view: &mut TargetView<'_>) {
        const WORTH_A_LINE: Duration = Duration::from_secs(1);
        let Some(prober) = self.prober.take() else { return others.await };
        let now = self.now();
        if self.probes.iter().filter_map(|log| log.longest_wait(now)).any(|wait| wait >= WORTH_A_LINE) {
            view.line(format!("  waiting up to {:?} for the last probes", self.probe_timeout));
        }
        let both = async { tokio::join!(others, prober.finish()) };
        let (samples, probes) = (&self.server_samples, &self.probes);
        self.ticks.during(both, |tick| view.draw(tick, samples, probes)).await;
    }

    /// The figures of each server's probes that were due in `window`, in the order of the servers.
    pub(super) fn probes_of_each(&self, window: &PhaseWindow) -> Vec<BTreeMap<String, ProbeStats>> {
        let with_histograms = |logs: &Vec<Arc<ProbeLog>>| {
            let mut stats = probe_stats(logs, window.from, window.to);
            add_histograms(logs, &mut stats, window);
            stats
        };
        self.of_each.iter().map(with_histograms).collect()
    }

    /// What became of all requests, with rates over the windows that follow the baseline.
    pub(super) fn streams_in(&self, windows: &[PhaseWindow]) -> StreamStats {
        let loads = windows.iter().skip(1);
        let loaded_for = loads.map(|window| window.to.saturating_sub(window.from)).sum();
        self.streams.stats_with_histograms(loaded_for)
    }

    /// Ends the measurement.
    pub(super) async fn finish(mut self, description: RunDescription) -> RunResult {
        if let Some(prober) = self.prober.take() {
            prober.finish().await;
        }
        self.sampler.finish();
        let server = MeasuredServer { probes: &self.probes, samples: &self.server_samples };
        let phase = |window: &PhaseWindow| server.phase(&window.name, window.from, window.to);
        let phases = description.windows.iter().map(phase).collect();
        let started_unix_ms = self.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut target = ArmResult {
            program: self.endpoints.iter().map(Endpoint::to_string).collect::<Vec<_>>().join(", "),
            streams: description.streams,
            targets: description.targets,
            vendor: description.vendor,
            ..server.run(phases, &description.loaded)
        };
        // Once is enough, in a file that people open: beside the phases there are none.
        for (phase, window) in target.phases.iter_mut().zip(&description.windows) {
            add_histograms(&self.probes, &mut phase.probes, window);
        }
        let histograms = Latencies::histograms([("schedule_lag_ms", &self.lag.latencies())]);
        let generator = Generator { histograms, ..self.lag.generator() };
        let result = RunResult::new(description.command, environment(), description.parameters, generator);
        RunResult {
            command_line: Some(invocation::command_line()),
            started_unix_ms: u64::try_from(started_unix_ms).ok(),
            target: Some(target),
            ..result
        }
    }
}

/// Adds the histograms of the probes that were due in `window`.
fn add_histograms(probes: &[Arc<ProbeLog>], stats: &mut BTreeMap<String, ProbeStats>, window: &PhaseWindow) {
    for log in probes {
        let stats = stats.get_mut(&log.kind.name);
        stats.into_iter().for_each(|stats| stats.histograms = log.histograms(window.from, window.to));
    }
}
