use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::CommandError;
use crate::environment::environment;
use crate::http::Endpoint;
use crate::lab::{BASELINE, LOADED, probe_stats};
use crate::measure::{LagLog, ProbeLog, ProbePlan, Prober, Sampler, StreamLog, Watched, timeline};
use crate::report::{self, Terminal};
use crate::result::{ArmResult, Baseline, Generator, Outcome, PhaseResult, RunResult, SCHEMA_VERSION, Verdict};
use crate::stand::raise_descriptor_limit;
use crate::vendor;

/// The phase in which the streams are begun.
const RAMP: &str = "ramp";

/// When a load was put on, since the start of the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoadTimes {
    /// When the first stream was due.
    pub(super) begun: Duration,
    /// When the last of the ramp was.
    pub(super) full: Duration,
    /// When no more were begun.
    pub(super) ended: Duration,
}

/// One server that this run did not start, under observation.
pub(super) struct Observation {
    pub(super) lag: Arc<LagLog>,
    pub(super) streams: Arc<StreamLog>,
    pub(super) probes: Vec<Arc<ProbeLog>>,
    endpoint: Endpoint,
    origin: Instant,
    prober: Prober,
    sampler: Sampler,
    watched: Arc<Watched>,
}

impl Observation {
    /// Begins to probe the server, which is to be idle still, and goes on until
    /// [`Observation::finish`]. `streams_max` is how many streams there will be at once.
    ///
    /// # Errors
    /// [`CommandError::NoServer`] when nobody accepts a connection, [`CommandError::Descriptors`]
    /// when this process may not open so many.
    pub(super) async fn begin(
        endpoint: &Endpoint,
        plan: ProbePlan,
        pid: Option<u32>,
        streams_max: u64,
    ) -> Result<Self, CommandError> {
        check_descriptors(streams_max)?;
        check_reachable(endpoint).await?;
        let (lag, streams) = (Arc::new(LagLog::default()), Arc::new(StreamLog::default()));
        let origin = Instant::now();
        let (prober, mut logs) = Prober::start(origin, vec![(endpoint.clone(), plan)], lag.clone());
        let watched = Arc::new(Watched::new(pid, vec![streams.clone()]));
        let sampler = Sampler::start(origin, vec![watched.clone()]);
        let probes = logs.pop().unwrap_or_default();
        Ok(Observation { lag, streams, probes, endpoint: endpoint.clone(), origin, prober, sampler, watched })
    }

    /// Since the start.
    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Ends the observation. The load began, reached its height and ended at the times in `load`;
    /// before it is the baseline.
    ///
    /// # Errors
    /// When the ledger of `vendor` cannot be read.
    pub(super) async fn finish(
        self,
        command: &str,
        parameters: BTreeMap<String, Value>,
        load: LoadTimes,
        vendor: Option<&Endpoint>,
    ) -> Result<RunResult, CommandError> {
        self.prober.finish().await;
        self.sampler.finish();
        let ledger = match vendor {
            Some(vendor) => Some(vendor::ledger(vendor).await?),
            None => None,
        };
        let phase = |name: &str, from: Duration, to: Duration| PhaseResult {
            name: name.to_owned(),
            from_ms: from.as_secs_f64() * 1000.0,
            to_ms: to.as_secs_f64() * 1000.0,
            probes: probe_stats(&self.probes, from, to),
            cpu_cores: self.watched.cpu_cores(from, to),
            ..PhaseResult::default()
        };
        let mut phases = vec![phase(BASELINE, Duration::ZERO, load.begun)];
        if load.full > load.begun {
            phases.push(phase(RAMP, load.begun, load.full));
        }
        phases.push(phase(LOADED, load.full, load.ended));
        let probes_of = |name: &str| {
            let found = phases.iter().find(|phase| phase.name == name);
            found.map(|phase| phase.probes.clone()).unwrap_or_default()
        };
        let target = ArmResult {
            program: self.endpoint.to_string(),
            streams: self.streams.stats(load.ended.saturating_sub(load.begun)),
            probes: probes_of(LOADED),
            baseline: Baseline::new(probes_of(BASELINE)),
            vendor: ledger,
            process: self.watched.process_stats(),
            timeline: timeline(&self.watched, &self.probes),
            phases,
        };
        Ok(RunResult {
            schema_version: SCHEMA_VERSION,
            command: command.to_owned(),
            environment: environment(),
            parameters,
            arms: BTreeMap::new(),
            target: Some(target),
            generator: Generator { schedule_lag_ms: self.lag.latencies().quantiles() },
            verdict: Verdict { result: Outcome::Invalid, claims: Vec::new(), invalid_because: Vec::new() },
        })
    }
}

/// Lets `duration` pass and prints a line for every whole second of it.
pub(super) async fn pass(seen: &Observation, duration: Duration, terminal: &Terminal) {
    let end = seen.now() + duration;
    loop {
        let now = seen.now();
        let next_second = Duration::from_secs(now.as_secs() + 1);
        if next_second > end {
            sleep(end.saturating_sub(now)).await;
            return;
        }
        sleep(next_second - now).await;
        report::second_of_one(terminal, next_second, seen.streams.active(), &seen.probes);
    }
}

/// Writes the result file and says so.
pub(super) fn write_out(result: &impl Serialize, path: &Path, terminal: &Terminal) -> Result<(), CommandError> {
    report::write_json(result, path)
        .map_err(|source| CommandError::Out { path: path.display().to_string(), source })?;
    terminal.line(format!("  The result:  {}", path.display()));
    Ok(())
}

async fn check_reachable(endpoint: &Endpoint) -> Result<(), CommandError> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let no_server = |why: String| CommandError::NoServer { url: endpoint.to_string(), why };
    match timeout(PATIENCE, TcpStream::connect(endpoint.addr())).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(no_server(error.to_string())),
        Err(_) => Err(no_server(format!("no connection within {PATIENCE:?}"))),
    }
}

fn check_descriptors(streams: u64) -> Result<(), CommandError> {
    // Probes, files and the runtime.
    const OTHERS: u64 = 300;
    let (needed, limit) = (streams + OTHERS, raise_descriptor_limit());
    if limit < needed { Err(CommandError::Descriptors { needed, limit }) } else { Ok(()) }
}
