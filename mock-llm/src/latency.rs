use std::time::Duration;

use fastrand::Rng;

/// Longest delay that is taken at its word: a day. It keeps a typing error from overflowing the clock.
pub const DELAY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A delay that differs from draw to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// What the draws come to on average.
    pub mean: Duration,
    /// Each draw is off by up to this fraction of itself, either way; 0 to 1.
    pub jitter: f64,
}

impl Delay {
    /// The same delay at every draw.
    #[must_use]
    pub const fn constant(mean: Duration) -> Self {
        Delay { mean, jitter: 0.0 }
    }

    /// The next delay. Takes from `rng` only what it needs, the same for every draw.
    #[must_use]
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        if self.jitter == 0.0 {
            return self.mean;
        }
        self.mean.mul_f64(1.0 + self.jitter * (2.0 * rng.f64() - 1.0))
    }
}

/// Reads a duration such as `250ms` or `1m`.
///
/// # Errors
/// Says what is wrong with `text`, or that it is over [`DELAY_MAX`].
pub fn parse_delay(text: &str) -> Result<Duration, String> {
    let delay = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; expected a duration such as 250ms, 5s or 1m"))?;
    if delay > DELAY_MAX {
        return Err(format!("longer than a day ({}s)", DELAY_MAX.as_secs()));
    }
    Ok(delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_fraction_and_keeps_the_mean() {
        let delay = Delay { mean: Duration::from_millis(100), jitter: 0.2 };
        let mut rng = Rng::with_seed(1);
        let draws: Vec<f64> = (0..10_000).map(|_| delay.draw(&mut rng).as_secs_f64() * 1000.0).collect();
        assert!(draws.iter().all(|draw| (80.0..=120.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        assert!((99.0..101.0).contains(&mean), "{mean}");
    }

    #[test]
    fn a_delay_that_would_overflow_the_clock_is_refused() {
        assert_eq!(parse_delay("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_delay("0s"), Ok(Duration::ZERO));
        for text in ["", "5", "-1s", "fast", "2days"] {
            assert!(parse_delay(text).is_err(), "{text}");
        }
    }
}
