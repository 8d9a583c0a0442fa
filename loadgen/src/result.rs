//! The result of a run, as written by `--out`. Field names are a contract for scripts that read them. Latencies
//! are in milliseconds, times since the start of the run.

mod collapse;
mod deployment;
mod diagnosis;
mod figures;
mod generator;
mod goodput;
mod histogram;
mod labs;
mod machine;
mod per_request;
mod phase_ledger;
mod phase_load;
mod phase_process;
mod read;
mod request_goodput;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod schema;
mod sequence;
mod server_metric;
mod server_stop;
mod servers;
mod side;
mod staircase;
mod stream_stats;
mod table;
mod target_result;
mod unit;
mod verdict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::ledger::Ledger;

pub use collapse::{Collapse, collapse, first_collapse};
pub use deployment::{DeploymentStats, PhaseBalancer, PhaseDeployment, RestartStats};
pub use diagnosis::{
    Confidence, Diagnosis, DiagnosisDefault, DiagnosisForm, DiagnosisKind, DiagnosisLevel, DiagnosisPlatform,
    ProbeLevel,
};
pub use figures::{
    ClosedLoopStats, Percentile, ProbeStats, ProcessStats, Quantile, Quantiles, TimelineRow, VendorStats,
};
pub use generator::{Environment, Generator};
pub use goodput::has_rates_in_several_phases;
pub use histogram::{EncodedHistogram, Histograms};
pub use labs::{LabsResult, NamedLab};
pub use machine::{Machine, Together};
pub use per_request::PerRequest;
pub use phase_ledger::PhaseLedger;
pub use phase_load::{Disturbance, ExpectedLoad, VendorLoad};
pub use phase_process::{Level, PhaseProcess};
pub use read::{BYTES_MAX, Problem, ReadError, ResultFile, parse, read};
pub use request_goodput::{RequestGoodput, RequestObjective, RequestTime};
pub use sequence::{FirstFailure, SequenceCall, SequenceStats};
pub use server_metric::{MetricName, MetricStats};
pub use server_stop::ServerStop;
pub use servers::{NamedArm, TARGET};
pub use side::Side;
pub use staircase::{by_streams, probe_names, probe_title};
use stream_stats::calls_with_ok;
pub use stream_stats::{StepResult, StreamStats};
pub use table::{Cell, TableRow};
pub use target_result::TargetResult;
pub use unit::Unit;
pub use verdict::{ClaimKind, ClaimResult, Outcome, Verdict};

/// Version of this format; increases when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

/// One run of any command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("anyOf" = [{"required": ["arms"]}, {"required": ["target"]}])))]
pub struct RunResult {
    /// [`SCHEMA_VERSION`].
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    pub schema_version: u32,
    /// The command: `demo`, `run`, `verify`, ...
    pub command: String,
    /// The whole command line, for a shell. What is secret in it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_line: Option<String>,
    /// When it started, by the clock of the machine, in milliseconds since 1970 (`run`, `verify`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_unix_ms: Option<u64>,
    /// The machine; of a merged result, all of them together.
    pub environment: Environment,
    /// The runs that this result was merged of (`report --merge`), in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<Machine>,
    /// The parameters of the command.
    pub parameters: BTreeMap<String, Value>,
    /// The servers side by side, by the name of their arm: `broken`, `broken-160`, ... (`demo`, `lab`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arms: BTreeMap<String, ArmResult>,
    /// The one server under load (`run`, `verify`, `sequence`, `diagnose`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ArmResult>,
    /// What limits that server (`diagnose`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// The generator itself.
    #[serde(rename = "self")]
    pub generator: Generator,
    /// The verdict.
    pub verdict: Verdict,
}

impl RunResult {
    /// A result without arms and without a verdict.
    #[must_use]
    pub fn new(
        command: impl Into<String>,
        environment: Environment,
        parameters: BTreeMap<String, Value>,
        generator: Generator,
    ) -> Self {
        RunResult {
            schema_version: SCHEMA_VERSION,
            command: command.into(),
            command_line: None,
            started_unix_ms: None,
            environment,
            machines: Vec::new(),
            parameters,
            arms: BTreeMap::new(),
            target: None,
            diagnosis: None,
            generator,
            verdict: Verdict::open(),
        }
    }
}

/// The figures of one server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ArmResult {
    /// Its side of the comparison (`demo`, `lab`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The program and its arguments if this run started it, otherwise the URL.
    pub program: String,
    /// The streams of the phases that all arms have.
    pub streams: StreamStats,
    /// The calls with a whole answer of those phases, if any.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "calls_with_ok")]
    #[cfg_attr(test, schemars(with = "Option<stream_stats::WithOk<'static>>"))]
    pub calls: Option<StreamStats>,
    /// Each of several servers that the requests went to in turn (`run` with more than one `--url`); their figures together
    /// are those of this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetResult>,
    /// Health probes while those streams were open, by probe.
    pub probes: BTreeMap<String, ProbeStats>,
    /// Health probes of the idle server.
    pub baseline: Baseline,
    /// Each phase of the run by itself, in order.
    pub phases: Vec<PhaseResult>,
    /// The ledger of the vendor behind this server, if it is a mock-llm.
    pub vendor: Option<Ledger>,
    /// What became of the server's processes, if it is no single process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentStats>,
    /// What the server's process used, if the process is known.
    pub process: Option<ProcessStats>,
    /// How it ended, if the lab asked it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<ServerStop>,
    /// A row per 250 ms.
    pub timeline: Vec<TimelineRow>,
    /// The calls of a sequence (`sequence`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<SequenceStats>,
}

impl ArmResult {
    /// Whether the server was asked to end before the end of `phase`, or before it.
    #[must_use]
    pub fn is_stopping_in(&self, phase: &PhaseResult) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.signalled_ms < phase.to_ms)
    }
}

/// Probes of the idle server, by name and again under `probes`, so that the same path works on an arm and on its
/// baseline.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Baseline {
    /// As in [`ArmResult::probes`].
    pub probes: BTreeMap<String, ProbeStats>,
    /// The same figures, one level up.
    #[serde(flatten)]
    pub by_name: BTreeMap<String, ProbeStats>,
}

impl Baseline {
    /// The figures of the idle server.
    #[must_use]
    pub fn new(probes: BTreeMap<String, ProbeStats>) -> Self {
        Baseline { by_name: probes.clone(), probes }
    }
}

/// One phase of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseResult {
    /// Its name: `baseline`, `below`, `loaded`, ...
    pub name: String,
    /// What it does, for people, if that is more than its name: `60 streams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Start of the measurement, after the ramp.
    pub from_ms: f64,
    /// End of the measurement.
    pub to_ms: f64,
    /// Probes that were due in between.
    pub probes: BTreeMap<String, ProbeStats>,
    /// The closed-loop probe, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_loop: Option<ClosedLoopStats>,
    /// The streams that this phase opened, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<StreamStats>,
    /// Peak of active generations at the vendor up to the end of this phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_peak_active: Option<u64>,
    /// The vendor's counts during the measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<VendorStats>,
    /// Share of one processor that the server used; 1.0 is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<f64>,
    /// Peak number of threads of the server since the start of the phase, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads_peak: Option<u64>,
    /// What the server's processes used, if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<PhaseProcess>,
    /// What became of them, if the server is no single process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<PhaseDeployment>,
    /// What the vendor saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<PhaseLedger>,
    /// The server's own metrics that claims name, by name and labels. Those that it does not have are absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, MetricStats>,
    /// The load that it should put on the arm, if its streams should flow.
    #[serde(rename = "asked", default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectedLoad>,
    /// The load on the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_load: Option<VendorLoad>,
    /// Its calls with a whole answer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "calls_with_ok")]
    #[cfg_attr(test, schemars(with = "Option<stream_stats::WithOk<'static>>"))]
    pub calls: Option<StreamStats>,
    /// Each of its loads, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<String, StreamStats>,
    /// Its cases, and what came of each; a row a case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub table: Vec<TableRow>,
    /// How busy the machine was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbance: Option<Disturbance>,
}

impl PhaseResult {
    /// What it is called in output.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// The steps of its sequence; none if it has none.
    #[must_use]
    pub fn steps(&self) -> &[StepResult] {
        self.loads.values().map(|load| &load.steps[..]).find(|steps| !steps.is_empty()).unwrap_or_default()
    }

    /// The probes of the phase with this name; empty if there is no such phase.
    #[must_use]
    pub fn probes_of(phases: &[PhaseResult], name: &str) -> BTreeMap<String, ProbeStats> {
        let phase = phases.iter().find(|phase| phase.name == name);
        phase.map(|phase| phase.probes.clone()).unwrap_or_default()
    }
}
