//! When streams are due.

use std::time::Duration;

/// Arrivals of an open model: independent of when earlier streams end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// Exponential gaps, as of independent users
    Poisson,
    /// Equal gaps
    Constant,
}

impl Arrivals {
    /// The gap before the next arrival at `rate` per second.
    pub fn gap(self, rate: f64, random: &mut fastrand::Rng) -> Duration {
        let mean = 1.0 / rate;
        Duration::from_secs_f64(match self {
            Arrivals::Constant => mean,
            // 1 - f64() is in (0, 1], so the logarithm is finite.
            Arrivals::Poisson => -(1.0 - random.f64()).ln() * mean,
        })
    }
}

/// When stream `index` of `count` is due, spread evenly over `ramp`.
#[must_use]
pub fn spread(index: u32, count: u32, ramp: Duration) -> Duration {
    ramp.mul_f64(f64::from(index) / f64::from(count.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_arrivals_keep_the_rate() {
        let mut random = fastrand::Rng::with_seed(1);
        for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
            let total: Duration = (0..10_000).map(|_| arrivals.gap(50.0, &mut random)).sum();
            assert!((190.0..210.0).contains(&total.as_secs_f64()), "{arrivals:?}: {total:?} for 10,000 at 50/s");
        }
    }

    #[test]
    fn poisson_gaps_vary_and_repeat_from_their_seed() {
        let draw = |seed| {
            let mut random = fastrand::Rng::with_seed(seed);
            (0..5).map(|_| Arrivals::Poisson.gap(10.0, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_ramp_spreads_its_streams() {
        let ramp = Duration::from_secs(1);
        assert_eq!(spread(0, 4, ramp), Duration::ZERO);
        assert_eq!(spread(3, 4, ramp), Duration::from_millis(750));
        assert_eq!(spread(0, 0, ramp), Duration::ZERO);
    }
}
