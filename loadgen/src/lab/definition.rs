//! A lab and its two profiles.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::{Arm, ByHand, Claim, Figure, Phase};
use crate::result::MetricName;

/// One mistake beside its fix, under the same traffic.
#[derive(Debug)]
pub struct Lab {
    /// Its name everywhere: `--mistake NAME`, `mistakes/*/NAME.rs`, `// MISTAKE NAME:`.
    pub name: &'static str,
    /// Its part of the workshop.
    pub group: Group,
    /// The mistake in one sentence.
    pub mistake: &'static str,
    /// The fix in one sentence.
    pub fix: &'static str,
    /// The file of the fix.
    pub fix_file: &'static str,
    /// The file of broken-server that a repair uses or resembles. It is closer to the mistake than the fix, which
    /// uses another framework.
    pub repair_file: &'static str,
    /// What the lab does not show.
    pub proves_not: &'static str,
    /// Whether the mistake shows on the playground, and how.
    pub by_hand: ByHand,
    /// The profile for people, at most 30 s.
    pub normal: Profile,
    /// The profile for tests: smaller pools, shorter streams, the same claims.
    pub fast: Profile,
}

/// A part of the workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Group {
    /// Threads, pools and the event loop.
    Threads,
    /// Calls to the vendor: queues, limits, retries, timeouts, streams.
    Calls,
    /// Operation: health checks, restarts, shutdown, databases, balancers.
    Operations,
}

impl Group {
    /// All groups, in the order of the workshop.
    pub const ALL: [Group; 3] = [Group::Threads, Group::Calls, Group::Operations];

    /// The name in output, and that of the folders of its mistakes and chapters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Threads => "threads",
            Group::Calls => "calls",
            Group::Operations => "operations",
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
    /// Flags of every arm's vendor.
    pub vendor: Vec<String>,
    /// The arms.
    pub arms: Vec<Arm>,
    /// The phases, in order.
    pub phases: Vec<Phase>,
    /// The probes that every server gets throughout the run.
    pub probes: Vec<Probe>,
    /// Probes per second, of each kind.
    pub probe_rate: f64,
    /// Time after which a probe counts as timed out.
    pub probe_timeout: Duration,
    /// An additional closed-loop probe, as scripts use it.
    pub closed_loop: Option<ClosedLoopProbe>,
    /// How long open streams may continue after the last phase. Longer than `probe_timeout` where the last probes
    /// wait for something that the streams hold: closing them would release it.
    pub drain: Duration,
    /// The arm that a repaired broken-server is judged as.
    pub repair_judged_as: &'static str,
    /// Whether it is about the servers' database, so that `--database-url` is of use.
    pub needs_database: bool,
    /// The claims and preconditions.
    pub claims: Vec<Claim>,
}

impl Default for Profile {
    /// Two probes, and nothing else.
    fn default() -> Self {
        Profile {
            vendor: Vec::new(),
            arms: Vec::new(),
            phases: Vec::new(),
            probes: vec![HEALTH_SYNC, HEALTH_ASYNC],
            probe_rate: 20.0,
            probe_timeout: Duration::from_secs(5),
            closed_loop: None,
            drain: Duration::from_secs(2),
            repair_judged_as: "fixed",
            needs_database: false,
            claims: Vec::new(),
        }
    }
}

impl Profile {
    /// Its duration, without the start of the programs.
    #[must_use]
    pub fn takes(&self) -> Duration {
        self.phases.iter().map(Phase::takes).sum::<Duration>() + self.drain
    }

    /// Whether it judges times, which other labs at the same time would disturb; otherwise it judges counts alone.
    #[must_use]
    pub fn judges_times(&self) -> bool {
        self.claims.iter().any(|claim| claim.figure.is_latency())
    }

    /// The server's own metrics that its claims name.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricName> {
        let conditions = self.claims.iter().filter_map(|claim| claim.applies_if.as_ref()).map(|what| &what.figure);
        let figures = self.claims.iter().map(|claim| &claim.figure).chain(conditions);
        let named: BTreeSet<_> = figures.flat_map(Figure::measured).filter_map(|(_, source)| source.metric()).collect();
        named.into_iter().cloned().collect()
    }

    /// The arm of this name.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }
}

/// One kind of open-loop probe.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Its name in results: `health_sync`.
    pub name: &'static str,
    /// The path: `/debug/health-sync`.
    pub path: &'static str,
    /// A JSON pointer to a field of the answer whose values are counted: `/status`.
    pub json_field: Option<&'static str>,
    /// The key that it is sent with: for a route that requires one.
    pub key: Option<&'static str>,
}

impl Probe {
    /// A probe of which only the status and the latency count.
    #[must_use]
    pub const fn new(name: &'static str, path: &'static str) -> Self {
        Probe { name, path, json_field: None, key: None }
    }
}

/// A health check that needs a thread of the pool.
pub const HEALTH_SYNC: Probe = Probe::new("health_sync", "/debug/health-sync");
/// A health check that the event loop serves.
pub const HEALTH_ASYNC: Probe = Probe::new("health_async", "/debug/health-async");

/// A probe that is sent again after the answer to the previous one.
#[derive(Debug, Clone, Copy)]
pub struct ClosedLoopProbe {
    /// The path.
    pub path: &'static str,
    /// Time from an answer to the next request.
    pub pause: Duration,
}

impl Lab {
    /// The fast or the normal profile.
    #[must_use]
    pub fn profile(&self, fast: bool) -> &Profile {
        if fast { &self.fast } else { &self.normal }
    }

    /// The file of the mistake.
    #[must_use]
    pub fn mistake_file(&self) -> String {
        format!("broken-server/src/mistakes/{}/{}.rs", self.group, self.name.replace('-', "_"))
    }

    /// Its chapter of the workshop.
    #[must_use]
    pub fn chapter(&self) -> String {
        format!("workshop/src/{}/{}.md", self.group, self.name)
    }
}
