//! What is measured of any server from outside, whether or not this program started it.

use std::sync::Arc;
use std::time::Duration;

use crate::lab::BASELINE;
use crate::measure::{ProbeLog, ServerSamples, probe_stats, timeline};
use crate::numbers::in_millis;
use crate::result::{ArmResult, Baseline, PhaseResult};

/// A server that is measured: its probes and its processes.
#[derive(Clone, Copy)]
pub struct MeasuredServer<'a> {
    /// The probes, by kind.
    pub probes: &'a [Arc<ProbeLog>],
    /// Its processes, and what clients have open.
    pub samples: &'a ServerSamples,
}

impl MeasuredServer<'_> {
    /// The figures of the phase `name`, measured in `[from, to)` since the start of the run.
    #[must_use]
    pub fn phase(self, name: &str, from: Duration, to: Duration) -> PhaseResult {
        PhaseResult {
            name: name.to_owned(),
            from_ms: in_millis(from),
            to_ms: in_millis(to),
            probes: probe_stats(self.probes, from, to),
            cpu_cores: self.samples.cpu_cores(from, to),
            ..PhaseResult::default()
        }
    }

    /// The figures of the whole run; `loaded` is the phase whose probes represent it.
    #[must_use]
    pub fn run(self, mut phases: Vec<PhaseResult>, loaded: &str) -> ArmResult {
        let probes = PhaseResult::probes_of(&phases, loaded);
        // Once is enough, in a file that people open.
        phases.iter_mut().flat_map(|phase| phase.probes.values_mut()).for_each(|stats| stats.distribution.clear());
        let probes_of = |name: &str| PhaseResult::probes_of(&phases, name);
        ArmResult {
            probes,
            baseline: Baseline::new(probes_of(BASELINE)),
            process: self.samples.process_stats(),
            timeline: timeline(self.samples, self.probes),
            phases,
            ..ArmResult::default()
        }
    }
}
