use std::time::Duration;

use hdrhistogram::Histogram;

use crate::result::Quantiles;

/// An HDR histogram of durations: microseconds to an hour, three digits exact.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    const MICROS_MAX: u64 = 3_600_000_000;

    /// An empty distribution.
    #[must_use]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, Self::MICROS_MAX, 3);
        Latencies(histogram.unwrap_or_else(|error| unreachable!("the bounds are constants: {error}")))
    }

    /// Counts one duration; over an hour it counts as an hour.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.clamp(1, Self::MICROS_MAX));
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Adds another distribution to this one.
    pub fn merge(&mut self, other: &Latencies) {
        // Both have the same bounds, so nothing can fall outside them.
        let _ = self.0.add(&other.0);
    }

    /// The quantiles in milliseconds.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        if self.0.is_empty() {
            return Quantiles::default();
        }
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1000.0;
        Quantiles { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: self.0.max() as f64 / 1000.0 }
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
    fn quantiles_are_those_of_what_was_recorded() {
        let latencies: Latencies = (1..=1000).map(Duration::from_millis).collect();
        let quantiles = latencies.quantiles();
        for (quantile, expected) in [(quantiles.p50, 500.0), (quantiles.p99, 990.0), (quantiles.max, 1000.0)] {
            assert!((quantile / expected - 1.0).abs() < 0.002, "{quantile} is not {expected}");
        }
        assert_eq!(Latencies::new().quantiles(), Quantiles::default());
    }
}
