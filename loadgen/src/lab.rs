//! What a lab is: data, and the engine that runs it.

/// From what was observed to the result.
mod collect;
/// Starts the arms, drives the phases, collects what was seen.
mod engine;
/// Figures of a result, by name.
mod figure;

use std::time::Duration;

pub(crate) use collect::probe_stats;
pub use engine::{LabError, Options, Progress, RunningArm, run};
pub use figure::{Comparison, Figure};

use crate::result::{ArmName, ClaimKind};

/// One mistake beside its fix, under the same traffic.
#[derive(Debug)]
pub struct Lab {
    /// Its name everywhere: `--mistake NAME`, `mistakes/*/NAME.rs`, `// MISTAKE NAME:`.
    pub name: &'static str,
    /// The mistake in a sentence.
    pub mistake: &'static str,
    /// The fix in a sentence.
    pub fix: &'static str,
    /// The file of the mistake.
    pub mistake_file: &'static str,
    /// The file of the fix.
    pub fix_file: &'static str,
    /// What nobody should conclude from it.
    pub proves_not: &'static str,
    /// How it is run for people.
    pub normal: Profile,
    /// The same in little, for tests: smaller pools, shorter streams, the same claims.
    pub fast: Profile,
}

/// The numbers of a lab.
#[derive(Debug)]
pub struct Profile {
    /// How the vendor of each arm answers.
    pub vendor_args: &'static [&'static str],
    /// The servers.
    pub arms: &'static [Arm],
    /// What happens, in order.
    pub phases: &'static [Phase],
    /// Probes of each kind a second.
    pub probe_rate: f64,
    /// When a probe counts as timed out.
    pub probe_timeout: Duration,
    /// How long open streams may go on after the last phase. Those of a broken arm may need as long
    /// again as a stream takes; they are left.
    pub patience: Duration,
    /// What is claimed.
    pub claims: &'static [Claim],
}

impl Lab {
    /// The numbers to run with.
    #[must_use]
    pub fn profile(&self, fast: bool) -> &Profile {
        if fast { &self.fast } else { &self.normal }
    }
}

/// One server of a lab.
#[derive(Debug)]
pub struct Arm {
    /// Its side.
    pub name: ArmName,
    /// Its program.
    pub program: &'static str,
    /// Its flags, besides `--listen` and `--upstream`.
    pub args: &'static [&'static str],
}

/// A stretch of a lab: some more streams, then a while in which is measured.
#[derive(Debug)]
pub struct Phase {
    /// Its name in the result.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Streams that it adds to those that are open.
    pub streams: u32,
    /// Over how long it adds them.
    pub ramp: Duration,
    /// How long is measured after that.
    pub hold: Duration,
    /// The arm that alone gets the streams; all arms when none is named.
    pub only: Option<ArmName>,
    /// Length of its streams in tokens, where it is not the vendor's.
    pub tokens: Option<u32>,
}

impl Phase {
    /// A phase for all arms, with streams of the vendor's length.
    #[must_use]
    pub const fn measured(
        name: &'static str,
        title: &'static str,
        streams: u32,
        ramp: Duration,
        hold: Duration,
    ) -> Self {
        Phase { name, title, streams, ramp, hold, only: None, tokens: None }
    }
}

/// The phase in which nothing is open.
pub const BASELINE: &str = "baseline";
/// The phase whose probes stand for the lab.
pub const LOADED: &str = "loaded";

/// What a lab claims, or what must be so for its claims to mean anything.
#[derive(Debug)]
pub struct Claim {
    /// In words.
    pub name: &'static str,
    /// What happens when it is not so.
    pub kind: ClaimKind,
    /// The figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub threshold: f64,
}
