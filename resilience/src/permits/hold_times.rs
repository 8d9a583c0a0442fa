//! How long recent permits were held, from which waits are predicted.

use std::collections::VecDeque;

/// How long recent permits were held, in seconds.
///
/// The mean is of the last 32, unless their length has changed: when four in a row are all less than half as long as any
/// of the eight before them, or all more than twice as long, everything before the four is forgotten. A moving average
/// would predict long waits to short calls for a long time after the last long call. And a mean of the latest few would
/// believe four short calls of a mixture; in a mixture there are long ones among the eight before.
#[derive(Debug, Default)]
pub(super) struct HoldTimes {
    /// The newest is the last.
    latest: VecDeque<f64>,
    mean: Option<f64>,
}

/// Enough to know the mean of exponentially distributed times to about a sixth.
const REMEMBERED: usize = 32;

/// `ALIKE` times are a change if they differ from the `UNLIKE` before them, or from `UNLIKE_MIN` where fewer are known.
const ALIKE: usize = 4;
const UNLIKE: usize = 8;
const UNLIKE_MIN: usize = 4;

impl HoldTimes {
    /// Adds the time of a permit that has come back.
    pub(super) fn note(&mut self, seconds: f64) {
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(seconds);
        let before = self.latest.len().saturating_sub(ALIKE);
        if self.has_changed_after(before) {
            self.latest.drain(..before);
        }
        self.mean = Some(self.latest.iter().sum::<f64>() / self.latest.len() as f64);
    }

    /// `None` until a permit has come back.
    pub(super) fn mean(&self) -> Option<f64> {
        self.mean
    }

    fn has_changed_after(&self, before: usize) -> bool {
        if before < UNLIKE_MIN {
            return false;
        }
        let older = self.latest.range(before.saturating_sub(UNLIKE)..before);
        let (older_min, older_max) = extent(older);
        let (min, max) = extent(self.latest.range(before..));
        max < older_min / 2.0 || min > older_max * 2.0
    }
}

fn extent<'a>(all: impl Iterator<Item = &'a f64>) -> (f64, f64) {
    all.fold((f64::INFINITY, 0.0), |(min, max), one| (one.min(min), one.max(max)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(all: impl IntoIterator<Item = f64>) -> f64 {
        let mut holds = HoldTimes::default();
        all.into_iter().for_each(|seconds| holds.note(seconds));
        holds.mean().unwrap()
    }

    #[test]
    fn the_mean_is_of_the_latest() {
        assert_eq!(mean([1.0, 2.0]), 1.5);
        assert_eq!(mean([[3.0; REMEMBERED], [2.0; REMEMBERED]].concat()), 2.0);
    }

    #[test]
    fn a_change_in_length_is_noticed_after_four_calls() {
        let (long, short) = ([20.0; 10], [0.1; ALIKE]);
        assert!(mean([&long[..], &short[1..]].concat()) > 15.0, "three may be a coincidence");
        assert_eq!(mean([&long[..], &short].concat()), 0.1);
        assert_eq!(mean([&[0.1; 10][..], &[20.0; ALIKE]].concat()), 20.0);
    }

    /// One in ten is long: four short ones in a row are no change.
    #[test]
    fn in_a_mixture_no_part_is_forgotten() {
        let mixture = |number| if number % 10 == 0 { 20.0 } else { 0.1 };
        for count in 20..100 {
            let mean = mean((0..count).map(mixture));
            assert!((1.5..3.5).contains(&mean), "{mean} after {count}, where 2.1 is right");
        }
    }
}
