//! A latency distribution.

mod counts;
mod encoding;

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::result::{Percentile, Quantiles};

pub use encoding::HistogramError;

/// An HDR histogram of durations from a microsecond to an hour, with three exact digits and an exact maximum.
#[derive(Debug, Clone)]
pub struct Latencies {
    histogram: Histogram<u64>,
    max_micros: u64,
}

impl Latencies {
    const MICROS_MIN: u64 = 1;
    const MICROS_MAX: u64 = 3_600_000_000;
    const DIGITS: u8 = 3;
    /// Points of a distribution that are closer than this are left out.
    const STEP: f64 = 1.1;

    /// An empty distribution.
    #[must_use]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(Self::MICROS_MIN, Self::MICROS_MAX, Self::DIGITS);
        let histogram = histogram.unwrap_or_else(|error| unreachable!("the bounds are constants: {error}"));
        Latencies { histogram, max_micros: 0 }
    }

    /// Records a duration; longer ones count as an hour.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let micros = micros.clamp(Self::MICROS_MIN, Self::MICROS_MAX);
        self.histogram.saturating_record(micros);
        self.max_micros = self.max_micros.max(micros);
    }

    /// Number of recorded durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Number of durations longer than `limit`, which is exact to three digits.
    #[must_use]
    pub fn over(&self, limit: Duration) -> u64 {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        self.histogram.len() - self.histogram.count_between(0, micros)
    }

    /// Adds another distribution to this one.
    pub fn merge(&mut self, other: &Latencies) {
        // Both have the same bounds, so this cannot fail.
        let _ = self.histogram.add(&other.histogram);
        self.max_micros = self.max_micros.max(other.max_micros);
    }

    /// The quantiles in milliseconds.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        self.quantiles_among(self.count())
    }

    /// The quantiles of `all` durations, where those that were not recorded rank last. A quantile among them is the
    /// largest recorded duration.
    #[must_use]
    pub fn quantiles_among(&self, all: u64) -> Quantiles {
        if self.histogram.is_empty() {
            return Quantiles::default();
        }
        let among = all as f64 / self.count() as f64;
        // The histogram returns the upper end of a bucket, which may exceed the maximum.
        let at = |quantile: f64| {
            let micros = self.histogram.value_at_quantile((quantile * among).min(1.0));
            micros.min(self.max_micros) as f64 / 1000.0
        };
        Quantiles { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: self.max_micros as f64 / 1000.0 }
    }

    /// The distribution from the median on, of `all` durations, where those that were not recorded rank last: the
    /// points before and after each step of a tenth or more, the first and the last one.
    #[must_use]
    pub fn slower_half_among(&self, all: u64) -> Vec<Percentile> {
        let percent = |recorded: u64| 100.0 * recorded as f64 / all as f64;
        let mut recorded = 0;
        let points = self.histogram.iter_recorded().map(|step| {
            recorded += step.count_since_last_iteration();
            let micros = step.value_iterated_to().min(self.max_micros);
            Percentile { percent: percent(recorded), ms: micros as f64 / 1000.0 }
        });
        let mut kept: Vec<Percentile> = Vec::new();
        let mut left_out = None;
        for point in points.filter(|point| point.percent >= 50.0) {
            if kept.last().is_some_and(|last| point.ms < last.ms * Self::STEP) {
                left_out = Some(point);
            } else {
                // A step is as steep as it was only between its own two ends.
                kept.extend(left_out.take());
                kept.push(point);
            }
        }
        kept.extend(left_out);
        kept
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<Duration> for Latencies {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        let mut latencies = Latencies::new();
        durations.into_iter().for_each(|duration| latencies.record(duration));
        latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_the_recorded_durations() {
        let latencies: Latencies = (1..=1000).map(Duration::from_millis).collect();
        let quantiles = latencies.quantiles();
        for (quantile, expected) in [(quantiles.p50, 500.0), (quantiles.p99, 990.0), (quantiles.max, 1000.0)] {
            assert!((quantile / expected - 1.0).abs() < 0.002, "{quantile} is not {expected}");
        }
        assert_eq!(latencies.over(Duration::from_millis(990)), 10);
        assert_eq!((Latencies::new().quantiles(), Latencies::new().over(Duration::ZERO)), (Quantiles::default(), 0));
    }

    #[test]
    fn a_time_out_is_reported_exactly() {
        for seconds in [1, 5, 10, 30] {
            let latencies: Latencies = (0..100).map(|_| Duration::from_secs(seconds)).collect();
            let exact = seconds as f64 * 1000.0;
            let quantiles = latencies.quantiles();
            assert_eq!([quantiles.p50, quantiles.p99, quantiles.max], [exact; 3]);
        }
    }

    #[test]
    fn a_distribution_keeps_its_steps_and_little_else() {
        let hang = |count| (0..count).map(|_| Duration::from_secs(10));
        let fast = (1..=800).map(|number| Duration::from_micros(400 + number / 10));
        let points = fast.chain(hang(200)).collect::<Latencies>().slower_half_among(1000);
        let [median, before, after] = points[..] else { panic!("{points:?}") };
        assert!((50.0..51.0).contains(&median.percent) && (0.44..0.46).contains(&median.ms), "{median:?}");
        assert!((before.percent, after) == (80.0, Percentile { percent: 100.0, ms: 10_000.0 }), "{points:?}");
        // A tenth of all has no latency.
        let failed = hang(9).collect::<Latencies>().slower_half_among(10);
        assert_eq!(failed, [Percentile { percent: 90.0, ms: 10_000.0 }]);
        assert_eq!(Latencies::new().slower_half_among(0), []);
    }

    #[test]
    fn unrecorded_durations_rank_last() {
        let latencies: Latencies = (1..=60).map(Duration::from_millis).collect();
        let quantiles = latencies.quantiles_among(100);
        for (quantile, expected) in [(quantiles.p50, 50.0), (quantiles.p90, 60.0), (quantiles.max, 60.0)] {
            assert!((quantile / expected - 1.0).abs() < 0.002, "{quantile} is not {expected}");
        }
    }
}
