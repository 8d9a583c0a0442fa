//! What is drawn of a diagnosis: its levels and its probes in their order, and the collapse.

use std::collections::BTreeMap;

use super::{Diagnosis, DiagnosisKind, DiagnosisLevel, ProbeLevel};

/// The probe that comes first.
const FIRST: &str = "health";

impl Diagnosis {
    /// The levels by number of streams. A number that was held twice is there as it was measured last.
    #[must_use]
    pub fn by_streams(&self) -> Vec<&DiagnosisLevel> {
        by_streams(&self.levels)
    }

    /// The most streams that were held.
    #[must_use]
    pub fn streams_held(&self) -> u64 {
        self.levels.iter().map(|level| level.streams).max().unwrap_or(0)
    }

    /// The number of streams at which the server was no longer as when idle, whether or not the reason was found. A kind
    /// without a collapse has none, whatever a file says.
    #[must_use]
    pub fn collapse(&self) -> Option<u64> {
        let has_none = matches!(self.kind, DiagnosisKind::NoneFound | DiagnosisKind::NotStreaming);
        self.streams_at_collapse.filter(|_| !has_none)
    }
}

impl ProbeLevel {
    /// Its p99 in milliseconds, if any was answered or timed out.
    #[must_use]
    pub fn p99_ms(&self) -> Option<f64> {
        let has_latency = self.answered > 0 || self.timed_out > 0;
        Some(self.latency_ms.p99).filter(|ms| has_latency && ms.is_finite())
    }
}

/// `levels` by number of streams, each number as it was measured last.
#[must_use]
pub fn by_streams(levels: &[DiagnosisLevel]) -> Vec<&DiagnosisLevel> {
    let last: BTreeMap<u64, &DiagnosisLevel> = levels.iter().map(|level| (level.streams, level)).collect();
    last.into_values().collect()
}

/// The probes of `levels` by their names, the health check first.
#[must_use]
pub fn probe_names<'a>(levels: impl IntoIterator<Item = &'a DiagnosisLevel>) -> Vec<&'a str> {
    let mut names: Vec<_> = levels.into_iter().flat_map(|level| level.probes.keys()).map(String::as_str).collect();
    names.sort_by_key(|name| (*name != FIRST, *name));
    names.dedup();
    names
}

/// The name of a probe for people: `unknown path`.
#[must_use]
pub fn probe_title(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{Quantiles, samples};

    #[test]
    fn a_kind_without_a_collapse_has_none_whatever_its_number() {
        let of = |diagnosis| Diagnosis { streams_at_collapse: Some(8), ..diagnosis }.collapse();
        assert_eq!([of(samples::none_found()), of(samples::compressed())], [None, None]);
        assert_eq!([of(samples::full_pool()), of(samples::inconclusive())], [Some(8), Some(8)]);
    }

    #[test]
    fn the_health_check_comes_first_and_each_probe_once() {
        let names = ["answers", "health", "unknown_path"].map(|name| (name.to_owned(), ProbeLevel::default()));
        let level = DiagnosisLevel { probes: names.into(), ..DiagnosisLevel::default() };
        assert_eq!(probe_names([&level, &level]), ["health", "answers", "unknown_path"]);
    }

    #[test]
    fn a_probe_that_was_never_answered_has_no_latency() {
        let probe = |answered, timed_out, p99| {
            let latency_ms = Quantiles { p99, ..Quantiles::default() };
            ProbeLevel { sent: 9, answered, timed_out, latency_ms, ..ProbeLevel::default() }.p99_ms()
        };
        assert_eq!([probe(0, 0, 0.0), probe(9, 0, f64::NAN)], [None, None]);
        assert_eq!([probe(9, 0, 2.0), probe(0, 9, 4e3)], [Some(2.0), Some(4e3)]);
        assert_eq!(probe(u64::MAX, u64::MAX, 2.0), Some(2.0), "two numbers from a file that have no sum");
    }

    #[test]
    fn a_number_of_streams_that_was_held_twice_is_there_once_and_as_last_seen() {
        let level = |streams, started| DiagnosisLevel { streams, started, ..DiagnosisLevel::default() };
        let levels = [level(32, 32), level(64, 40), level(48, 41), level(64, 39)];
        let drawn: Vec<_> = by_streams(&levels).into_iter().map(|level| (level.streams, level.started)).collect();
        assert_eq!(drawn, [(32, 32), (48, 41), (64, 39)]);
    }
}
