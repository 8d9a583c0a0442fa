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
    /// Its name, as in the flag.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Arrivals::Poisson => "poisson",
            Arrivals::Constant => "constant",
        }
    }
}

/// The times of the arrivals of an open model, one after another.
#[derive(Debug, Clone)]
pub(super) struct ArrivalTimes {
    arrivals: Arrivals,
    /// Per second, once it is reached.
    rate: f64,
    /// Seconds over which the rate rises from zero, evenly.
    over: f64,
    /// How many arrivals there are on average until the last one.
    expected: f64,
}

impl ArrivalTimes {
    /// Arrivals at `rate` per second, which is reached after `over`.
    pub(super) fn new(arrivals: Arrivals, rate: f64, over: Duration) -> Self {
        ArrivalTimes { arrivals, rate, over: over.as_secs_f64(), expected: 0.0 }
    }

    /// When the next one is due, since the start.
    pub(super) fn next(&mut self, random: &mut fastrand::Rng) -> Duration {
        self.expected += match self.arrivals {
            Arrivals::Constant => 1.0,
            // 1 - f64() is in (0, 1], so the logarithm is finite.
            Arrivals::Poisson => -(1.0 - random.f64()).ln(),
        };
        // While the rate rises there are rate * t^2 / (2 * over) arrivals on average in t, and half as many in all of that
        // time as later.
        let in_ramp = self.rate * self.over / 2.0;
        Duration::from_secs_f64(if self.expected < in_ramp {
            (2.0 * self.over * self.expected / self.rate).sqrt()
        } else {
            self.expected / self.rate + self.over / 2.0
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

    fn times(arrivals: Arrivals, rate: f64, over: u64, seed: u64) -> impl Iterator<Item = Duration> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut times = ArrivalTimes::new(arrivals, rate, Duration::from_secs(over));
        std::iter::repeat_with(move || times.next(&mut random))
    }

    #[test]
    fn both_kinds_of_arrivals_keep_the_rate() {
        for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
            let last = times(arrivals, 50.0, 0, 1).nth(9_999).unwrap();
            assert!((190.0..210.0).contains(&last.as_secs_f64()), "{arrivals:?}: {last:?} for 10,000 at 50/s");
        }
    }

    #[test]
    fn poisson_gaps_vary_and_repeat_from_their_seed() {
        let draw = |seed| times(Arrivals::Poisson, 10.0, 0, seed).take(5).collect::<Vec<_>>();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_rate_rises_evenly_until_it_is_reached() {
        for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
            let all: Vec<_> = times(arrivals, 1_000.0, 10, 3).take(20_000).collect();
            let within = |from: u64, to: u64| {
                all.iter().filter(|due| (Duration::from_secs(from)..Duration::from_secs(to)).contains(*due)).count()
            };
            // A quarter of those of the ramp are in its first half.
            for ((from, to), expected) in [((0, 5), 1_250.0), ((5, 10), 3_750.0), ((10, 15), 5_000.0)] {
                let ratio = within(from, to) as f64 / expected;
                assert!((0.9..1.1).contains(&ratio), "{arrivals:?}: {} from {from} to {to} s", within(from, to));
            }
            assert!(all.is_sorted());
        }
    }

    #[test]
    fn a_ramp_spreads_its_streams() {
        let ramp = Duration::from_secs(1);
        assert_eq!(spread(0, 4, ramp), Duration::ZERO);
        assert_eq!(spread(3, 4, ramp), Duration::from_millis(750));
        assert_eq!(spread(0, 0, ramp), Duration::ZERO);
    }
}
