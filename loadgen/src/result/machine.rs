//! The runs of a merged result: one generator each, on one machine.

use serde::{Deserialize, Serialize};

use super::{Environment, Outcome, Quantiles};

/// One run of a merged result (`report --merge`). Times are since its own start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Machine {
    /// Its file.
    pub name: String,
    /// When it started, by the clock of its machine, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// When its load began to be measured, and when that ended; null if it had no load.
    pub loaded_ms: Option<(f64, f64)>,
    /// The machine.
    pub environment: Environment,
    /// The command line of the run.
    pub command_line: Option<String>,
    /// Streams or calls that it sent.
    pub requested: u64,
    /// Peak number of its open streams.
    pub peak_active: u64,
    /// How late it sent probes and streams: if it lagged, it had too much to do, or its machine was busy.
    pub schedule_lag_ms: Quantiles,
    /// Probes and streams that it could not send because it had no descriptors or ports left.
    pub not_sent: u64,
    /// The verdict on it alone.
    pub result: Outcome,
    /// Why it is invalid, if it is.
    pub invalid_because: Vec<String>,
    /// Its warnings.
    pub warnings: Vec<String>,
}

impl Machine {
    /// Whether this and `other` are the same run, under whatever names.
    #[must_use]
    pub fn is_same_run(&self, other: &Machine) -> bool {
        Machine { name: self.name.clone(), ..other.clone() } == *self
    }
}

/// How well the loads of several machines coincided, by the clocks of the machines. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Together {
    /// From the first start to the last.
    pub starts_apart_ms: f64,
    /// How long all loads were on at once.
    pub loaded_ms: f64,
    /// The length of the longest load.
    pub longest_ms: f64,
}

impl Together {
    /// Of these machines; `None` if there are none, or none of them had a load.
    #[must_use]
    pub fn of(machines: &[Machine]) -> Option<Together> {
        let starts = || machines.iter().map(|machine| machine.started_unix_ms);
        let (first, last) = (starts().min()?, starts().max()?);
        let mut loads = machines.iter().filter_map(|machine| {
            let since_first = (machine.started_unix_ms - first) as f64;
            machine.loaded_ms.map(|(from, to)| (since_first + from, since_first + to))
        });
        let (from, to) = loads.next()?;
        let mut together = Together { starts_apart_ms: (last - first) as f64, loaded_ms: 0.0, longest_ms: to - from };
        let common = loads.fold((from, to), |(latest, earliest), (from, to)| {
            together.longest_ms = together.longest_ms.max(to - from);
            (latest.max(from), earliest.min(to))
        });
        together.loaded_ms = (common.1 - common.0).max(0.0);
        Some(together)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(started_unix_ms: u64, loaded_ms: Option<(f64, f64)>) -> Machine {
        Machine {
            name: started_unix_ms.to_string(),
            started_unix_ms,
            loaded_ms,
            environment: Environment { cores: 2, memory_bytes: 1, os: String::new() },
            command_line: None,
            requested: 1,
            peak_active: 1,
            schedule_lag_ms: Quantiles::default(),
            not_sent: 0,
            result: Outcome::Held,
            invalid_because: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn loads_coincide_by_the_clocks() {
        let machines =
            [machine(5_000, Some((1_000.0, 11_000.0))), machine(4_000, Some((1_000.0, 9_000.0))), machine(4_500, None)];
        let expected = Together { starts_apart_ms: 1_000.0, loaded_ms: 7_000.0, longest_ms: 10_000.0 };
        assert_eq!(Together::of(&machines), Some(expected));
        let apart = [machine(0, Some((0.0, 10.0))), machine(50, Some((0.0, 10.0)))];
        assert_eq!(Together::of(&apart).map(|together| together.loaded_ms), Some(0.0));
        assert_eq!((Together::of(&[]), Together::of(&[machine(1, None)])), (None, None));
    }

    #[test]
    fn a_run_is_the_same_under_another_name() {
        let (run, mut other) = (machine(1, None), machine(1, None));
        other.name = "other".to_owned();
        assert!(run.is_same_run(&other));
        other.requested = 2;
        assert!(!run.is_same_run(&other));
    }
}
