//! The levels of a diagnosis in the order in which they are drawn.

use std::collections::BTreeMap;

use super::{Diagnosis, DiagnosisKind, DiagnosisLevel};

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

    /// Whether the server was no longer as when idle at some number of streams, whether or not the reason was found.
    #[must_use]
    pub fn has_collapse(&self) -> bool {
        self.streams_at_collapse.is_some()
            && !matches!(self.kind, DiagnosisKind::NoneFound | DiagnosisKind::NotStreaming)
    }
}

/// `levels` by number of streams, each number as it was measured last.
#[must_use]
pub fn by_streams(levels: &[DiagnosisLevel]) -> Vec<&DiagnosisLevel> {
    let last: BTreeMap<u64, &DiagnosisLevel> = levels.iter().map(|level| (level.streams, level)).collect();
    last.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_streams_that_was_held_twice_is_there_once_and_as_last_seen() {
        let level = |streams, started| DiagnosisLevel { streams, started, ..DiagnosisLevel::default() };
        let levels = [level(32, 32), level(64, 40), level(48, 41), level(64, 39)];
        let drawn: Vec<_> = by_streams(&levels).into_iter().map(|level| (level.streams, level.started)).collect();
        assert_eq!(drawn, [(32, 32), (48, 41), (64, 39)]);
    }
}
