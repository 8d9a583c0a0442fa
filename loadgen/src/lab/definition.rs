//! A lab and its two profiles.

use std::fmt;
use std::time::Duration;

use super::{Arm, Claim, Phase};

/// One mistake beside its fix, under the same traffic.
#[derive(Debug)]
pub struct Lab {
    /// Its name everywhere: `--mistake NAME`, `mistakes/*/NAME.rs`, `// MISTAKE NAME:`.
    pub name: &'static str,
    /// The part of the workshop that it belongs to.
    pub group: Group,
    /// The mistake in a sentence.
    pub mistake: &'static str,
    /// The fix in a sentence.
    pub fix: &'static str,
    /// The file of the mistake.
    pub mistake_file: &'static str,
    /// The file of the fix.
    pub fix_file: &'static str,
    /// The file of broken-server that a repair of the mistake uses, or is most like. It is nearer to the
    /// mistake than the fix is, which is in another framework.
    pub repair_file: &'static str,
    /// What nobody should conclude from it.
    pub proves_not: &'static str,
    /// How it is run for people, in 30 s at most.
    pub normal: Profile,
    /// The same in little, for tests: smaller pools, shorter streams, the same claims.
    pub fast: Profile,
}

/// A part of the workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Threads, pools and the event loop.
    Threads,
}

impl Group {
    /// All of them, in the order of the workshop.
    pub const ALL: [Group; 1] = [Group::Threads];

    /// The name in output, and of the folders of its mistakes and chapters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Threads => "threads",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The numbers of a lab.
#[derive(Debug)]
pub struct Profile {
    /// How the vendor of each arm answers.
    pub vendor: &'static [&'static str],
    /// The servers.
    pub arms: &'static [Arm],
    /// What happens, in order.
    pub phases: &'static [Phase],
    /// What every server is asked all the time.
    pub probes: &'static [Probe],
    /// Probes of each kind a second.
    pub probe_rate: f64,
    /// When a probe counts as timed out.
    pub probe_timeout: Duration,
    /// What every server is also asked as scripts do it, one question after the other.
    pub closed_loop: Option<ClosedLoopProbe>,
    /// How long open streams may go on after the last phase; then they are left. It is to be longer than
    /// `probe_timeout` where the streams hold what the last probes wait for: left, they would let it go.
    pub drain: Duration,
    /// The arm whose part broken-server plays once somebody has mended it.
    pub repair_judged_as: &'static str,
    /// What is claimed.
    pub claims: &'static [Claim],
}

impl Profile {
    /// Nothing, to be filled in; the source's two probes at a rate that any server bears.
    pub const EMPTY: Profile = Profile {
        vendor: &[],
        arms: &[],
        phases: &[],
        probes: &[HEALTH_SYNC, HEALTH_ASYNC],
        probe_rate: 20.0,
        probe_timeout: Duration::from_secs(5),
        closed_loop: None,
        drain: Duration::from_secs(2),
        repair_judged_as: "fixed",
        claims: &[],
    };

    /// How long it takes, without the start of the programs.
    #[must_use]
    pub fn takes(&self) -> Duration {
        self.phases.iter().map(Phase::takes).sum::<Duration>() + self.drain
    }
}

/// One kind of open-loop probe.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Its name in results: `health_sync`.
    pub name: &'static str,
    /// What it gets: `/debug/health-sync`.
    pub path: &'static str,
    /// A field of the JSON answer whose values are counted, as a JSON pointer: `/status`.
    pub json_field: Option<&'static str>,
}

/// A health route that the thread pool serves.
pub const HEALTH_SYNC: Probe = Probe { name: "health_sync", path: "/debug/health-sync", json_field: None };
/// A health route that the event loop serves.
pub const HEALTH_ASYNC: Probe = Probe { name: "health_async", path: "/debug/health-async", json_field: None };

/// A question that is asked again when its answer has come.
#[derive(Debug, Clone, Copy)]
pub struct ClosedLoopProbe {
    /// What it gets.
    pub path: &'static str,
    /// From an answer to the next question.
    pub pause: Duration,
}

impl Lab {
    /// The numbers to run with.
    #[must_use]
    pub fn profile(&self, fast: bool) -> &Profile {
        if fast { &self.fast } else { &self.normal }
    }

    /// Its page in the workshop.
    #[must_use]
    pub fn chapter(&self) -> String {
        format!("workshop/src/{}/{}.md", self.group, self.name)
    }
}
