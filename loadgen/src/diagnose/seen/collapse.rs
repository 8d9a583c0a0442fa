//! What was seen at the number of streams that was too much.

use std::collections::BTreeMap;
use std::time::Duration;

/// What was seen at the number of streams that was too much.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collapse {
    /// The level, among those of [`super::Seen::levels`].
    pub(crate) level: usize,
    /// The first level, up to that one, at which the server was not as when idle.
    pub(crate) first_bad: usize,
    /// Streams that the server served, at each look: every 250 ms for some seconds.
    pub(crate) served: Vec<u64>,
    /// Streams that ended meanwhile.
    pub(crate) ended: u64,
    /// Those among them whose connection was closed before their end.
    pub(crate) broken: u64,
    /// Streams that began to flow meanwhile.
    pub(crate) begun: u64,
    /// Rejections by HTTP status, since the first stream of the ramp.
    pub(crate) rejected: BTreeMap<u16, u64>,
    /// Failures by cause, since the first stream of the ramp.
    pub(crate) failed: BTreeMap<String, u64>,
    /// The longest time to a rejection or failure, in milliseconds.
    pub(crate) slowest_loss_ms: f64,
    /// Where exactly it begins, as far as it was looked for.
    pub(crate) corner: Option<Corner>,
}

/// Between which numbers of streams the server ceases to be as when idle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Corner {
    /// The most streams with which it was as when idle.
    pub(crate) good: u64,
    /// The least with which it was not.
    pub(crate) bad: u64,
    /// Whether all streams flowed there, and only checks were late.
    pub(crate) all_flowed: bool,
    /// Whether streams were rejected or waited although there was room: the server had served more at once before.
    pub(crate) waits_with_room: bool,
}

impl Corner {
    /// The number of streams that the server serves, where the two numbers are next to each other.
    pub(crate) fn limit(&self) -> Option<u64> {
        (self.bad == self.good + 1).then_some(if self.all_flowed { self.bad } else { self.good })
    }
}

/// Whether a count of what flows may be the same as another.
pub(crate) fn is_near(one: u64, other: u64) -> bool {
    one.abs_diff(other) <= (other / 20).max(1)
}

impl Collapse {
    /// Time between two looks at the streams.
    pub(crate) const LOOK: Duration = Duration::from_millis(250);

    /// The number of streams that are served, if it stays the same: that most often seen, with nearly all others next to it.
    /// Where streams end and others begin, a number that is often reached and never exceeded is one too: a place is empty
    /// until the next stream has its first chunk.
    pub(crate) fn plateau(&self) -> Option<u64> {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        self.served.iter().for_each(|streams| *counts.entry(*streams).or_default() += 1);
        let (streams, _) = counts.iter().max_by_key(|(streams, looks)| (**looks, **streams))?;
        let near = self.served.iter().filter(|served| is_near(**served, *streams)).count();
        let is_most = self.served.iter().all(|served| served <= streams);
        let tenths = if is_most && self.begun > 0 && self.ended > 0 { 6 } else { 8 };
        (near * 10 >= self.served.len() * tenths).then_some(*streams)
    }

    /// The looks until the number of streams that are served rises no further: all flow then, or time is up.
    fn rise(&self) -> &[u64] {
        let most = self.served.iter().max();
        let until = self.served.iter().position(|served| Some(served) == most).unwrap_or_default();
        &self.served[..(until + 1).min(self.served.len())]
    }

    /// By how much the number of streams that are served rises per second, while it does.
    pub(crate) fn slope(&self) -> f64 {
        let rise = self.rise();
        let (Some(first), Some(last)) = (rise.first(), rise.last()) else { return 0.0 };
        let seconds = (rise.len() - 1) as f64 * Self::LOOK.as_secs_f64();
        (*last as f64 - *first as f64) / seconds.max(Self::LOOK.as_secs_f64())
    }

    /// Whether it rises one by one, and not in one step; to the end or until all are served.
    pub(crate) fn rises_steadily(&self) -> bool {
        const RISE: u64 = 3;
        let steps = self.served.windows(2).map(|pair| (pair[1].saturating_sub(pair[0]), pair[0] > pair[1] + 1));
        let (largest, falls) = steps.fold((0, false), |(most, fell), (step, falls)| (step.max(most), fell || falls));
        let rise = self.served.last().zip(self.served.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
        rise >= RISE && !falls && largest <= 2.max(rise / 2)
    }

    /// Whether about as many streams began as ended: each takes the place of another.
    pub(crate) fn begin_as_others_end(&self) -> bool {
        self.begun.abs_diff(self.ended) <= 1 + self.ended / 5
    }

    /// How long it was watched, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.served.len().saturating_sub(1) as f64 * Self::LOOK.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_often_reached_and_never_exceeded_is_a_plateau_where_streams_end() {
        let served = vec![20, 20, 17, 20, 20, 15, 20, 20, 16, 20];
        let turning = Collapse { served, begun: 12, ended: 12, ..Collapse::default() };
        assert_eq!(turning.plateau(), Some(20));
        assert_eq!(Collapse { ended: 0, ..turning.clone() }.plateau(), None, "no place was empty");
        let exceeded = Collapse { served: [&turning.served[..], &[24]].concat(), ..turning.clone() };
        assert_eq!(exceeded.plateau(), None);
        let rarely = Collapse { served: vec![20, 14, 20, 15, 17, 20, 12, 16, 20, 18], ..turning };
        assert_eq!(rarely.plateau(), None);
    }
}
