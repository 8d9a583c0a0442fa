//! The stages of `verify`: how many streams and checks.

/// A number of open streams, and of checks sent meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) streams: u32,
    pub(super) checks: u32,
}

impl Stage {
    /// Its name in the result and in output.
    pub(super) fn name(&self) -> String {
        if self.streams == 1 { "1 stream".to_owned() } else { format!("{} streams", self.streams) }
    }
}

/// Half of the streams, all of them, and twice as many. The middle stage has `checks` checks, each of the
/// others a third of them.
pub(super) fn stages(streams: u32, checks: u32) -> Vec<Stage> {
    let fewer = checks.div_ceil(3);
    let counts = [(streams.div_ceil(2), fewer), (streams, checks), (streams * 2, fewer)];
    let mut stages: Vec<_> = counts.into_iter().map(|(streams, checks)| Stage { streams, checks }).collect();
    stages.dedup_by(|later, earlier| {
        let same = later.streams == earlier.streams;
        earlier.checks = if same { later.checks } else { earlier.checks };
        same
    });
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_twice_the_streams_are_tried_too() {
        let seen = |streams, checks| -> Vec<_> {
            stages(streams, checks).iter().map(|stage| (stage.streams, stage.checks)).collect()
        };
        assert_eq!(seen(40, 15), [(20, 5), (40, 15), (80, 5)]);
        assert_eq!(seen(1, 4), [(1, 4), (2, 2)]);
        assert_eq!(seen(100_000, 1), [(50_000, 1), (100_000, 1), (200_000, 1)]);
    }
}
