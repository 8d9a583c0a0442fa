//! What a run looks like at one instant, for the dashboard in the terminal and the page of the playground. The page
//! receives it as JSON, so field names are a contract with `playground/`.
//!
//! [`Frames`] builds the frames of any run. A lab has [`LabFrames`]; a server that this program did not start has
//! [`TargetFrames`].

mod frames;
mod gauges;
mod lab;
mod latest;
mod plan;
mod rows;
mod target;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::result::{Collapse, Side, TimelineRow};

pub use crate::vendor::Counts as VendorFrame;
pub use frames::{ArmNow, Frames, ROWS_KEPT};
pub use gauges::Gauges;
pub use lab::LabFrames;
pub use latest::latest;
pub use plan::{Plan, PlannedPhase};
pub use target::TargetFrames;

/// A run at one instant.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Frame {
    /// Time since the start of the run.
    pub t_ms: f64,
    /// The phase that is under way, if the run has phases.
    pub phase: Option<PhaseFrame>,
    /// How long rows are kept, if the run has no end; older ones are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_kept_ms: Option<f64>,
    /// The arms, in the order of output.
    pub arms: Vec<ArmFrame>,
}

/// The phase that is under way.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseFrame {
    /// Its name in the result.
    pub name: String,
    /// What it does, for people: `60 streams`.
    pub title: String,
    /// Its place among the phases, from 1.
    pub number: usize,
    /// How many phases there are.
    pub of: usize,
    /// Time until it ends, as planned; the most, if it ends with its loads.
    pub left_ms: f64,
    /// Time until the last phase ends, as planned. The last streams and probes may take longer.
    pub run_left_ms: f64,
}

/// An arm at one instant.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ArmFrame {
    /// Its name in the result.
    pub name: String,
    /// Its side of the comparison, if there is one.
    pub side: Option<Side>,
    /// The mistake that its server runs with, if it is broken-server.
    pub mistake: Option<String>,
    /// When its server was started, since the start of the run: zero, unless it was started again by hand. There are no
    /// rows of the one before.
    pub started_ms: f64,
    /// Streams open and calls without an answer.
    pub streams_active: u64,
    /// Streams and calls that the load asks for: those without an answer; of a number of streams also those that were lost
    /// in this phase; of a load that replaces what has ended, as many as it keeps open.
    pub streams_asked: u64,
    /// Tokens received in the last second.
    pub chunks_per_second: f64,
    /// Share of one processor that the server used in the last second.
    pub cpu_cores: Option<f64>,
    /// Threads of the server.
    pub threads: Option<u64>,
    /// The server's blocking pool, if its `/metrics` has shown one within the last two seconds.
    pub pool: Option<PoolFrame>,
    /// The ledger of its vendor, if it has one.
    pub vendor: Option<VendorFrame>,
    /// The latest of each probe, by its name.
    pub probes: BTreeMap<String, ProbeFrame>,
    /// The timeline so far, or its end. A probe without an answer counts as the time that it has waited, and is counted in
    /// `probe_waiting`.
    pub rows: Vec<TimelineRow>,
    /// The first collapse of any of its probes: [`first_collapse`](crate::result::first_collapse) of all rows since the
    /// start, also of those that are no longer in `rows`. It stays once it is found.
    pub collapse: Option<Collapse>,
}

impl ArmFrame {
    /// The same with these rows in place of its own.
    #[must_use]
    pub fn with_rows(&self, rows: &[TimelineRow]) -> ArmFrame {
        ArmFrame {
            name: self.name.clone(),
            side: self.side,
            mistake: self.mistake.clone(),
            started_ms: self.started_ms,
            streams_active: self.streams_active,
            streams_asked: self.streams_asked,
            chunks_per_second: self.chunks_per_second,
            cpu_cores: self.cpu_cores,
            threads: self.threads,
            pool: self.pool,
            vendor: self.vendor,
            probes: self.probes.clone(),
            rows: rows.to_vec(),
            collapse: self.collapse.clone(),
        }
    }
}

/// The blocking pool of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PoolFrame {
    /// Threads that it may have.
    pub size: u64,
    /// Threads that work or wait.
    pub busy: u64,
    /// Work without a thread.
    pub queued: u64,
}

/// The latest of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ProbeFrame {
    /// None was due yet.
    Idle,
    /// Answered: the median of the last second.
    Answered {
        /// The latency from when it was due.
        ms: f64,
    },
    /// No answer yet, for a second or more.
    Waiting {
        /// Since it was due.
        ms: f64,
    },
    /// One timed out in the last second.
    TimedOut {
        /// Its time limit.
        ms: f64,
    },
    /// Answered with a status that is no success.
    Refused {
        /// The status.
        status: u16,
    },
    /// Failed in another way.
    Failed,
    /// The generator could not send it.
    NotSent,
}
