//! Random delays.

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;

/// Longest delay accepted: a day. A typing error must not overflow the clock.
pub const DELAY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Upper limit of a draw, as a multiple of the mean: the distributions have long tails.
const FACTOR_MAX: f64 = 20.0;

/// A random delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// Mean of the draws.
    pub mean: Duration,
    /// Distribution around the mean.
    pub distribution: Distribution,
    /// In addition, each draw varies by up to this fraction of itself, up or down; 0 to 1.
    pub jitter: f64,
}

/// The distribution of a delay. Spreads are standard deviations as a fraction of the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// Always the mean.
    Constant,
    /// A normal distribution, cut off at zero.
    Normal(f64),
    /// Always above zero, with a long tail, like the delays of real vendors.
    Lognormal(f64),
}

impl Delay {
    /// A delay that is always `mean`.
    #[must_use]
    pub const fn constant(mean: Duration) -> Self {
        Delay { mean, distribution: Distribution::Constant, jitter: 0.0 }
    }

    /// The same delay with another mean.
    #[must_use]
    pub fn with_mean(self, mean: Duration) -> Self {
        Delay { mean, ..self }
    }

    /// The next delay, at most [`DELAY_MAX`].
    #[must_use]
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        let mut factor = self.distribution.draw(rng);
        if self.jitter != 0.0 {
            factor *= 1.0 + self.jitter * (2.0 * rng.f64() - 1.0);
        }
        if factor == 1.0 {
            return self.mean;
        }
        self.mean.mul_f64(factor).min(DELAY_MAX)
    }
}

impl Distribution {
    /// Largest spread. With a larger one so many draws would be cut off that the mean would be wrong.
    pub const SPREAD_MAX: f64 = 2.0;
    const SPREAD_DEFAULT: f64 = 0.2;

    /// A factor around 1.
    fn draw(self, rng: &mut Rng) -> f64 {
        match self {
            Distribution::Constant => 1.0,
            Distribution::Normal(spread) => (1.0 + spread * standard_normal(rng)).clamp(0.0, FACTOR_MAX),
            Distribution::Lognormal(spread) => {
                // The parameters that give the factor a mean of 1 and a deviation of `spread`.
                let variance = (1.0 + spread * spread).ln();
                (variance.sqrt() * standard_normal(rng) - variance / 2.0).exp().min(FACTOR_MAX)
            }
        }
    }
}

/// The Box-Muller transform.
fn standard_normal(rng: &mut Rng) -> f64 {
    // 1 minus the draw, because the draw may be 0, which has no logarithm.
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (TAU * rng.f64()).cos()
}

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected constant, normal[:SPREAD] or lognormal[:SPREAD], with a spread above 0, up to 2";
        let (name, spread) = match text.split_once(':') {
            Some((name, spread)) => (name, spread.parse().map_err(|_| expected)?),
            None => (text, Self::SPREAD_DEFAULT),
        };
        let in_range = 0.0 < spread && spread <= Self::SPREAD_MAX;
        match name {
            "constant" if name == text => Ok(Distribution::Constant),
            "normal" if in_range => Ok(Distribution::Normal(spread)),
            "lognormal" if in_range => Ok(Distribution::Lognormal(spread)),
            _ => Err(expected.into()),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distribution::Constant => f.write_str("constant"),
            Distribution::Normal(spread) => write!(f, "normal:{spread}"),
            Distribution::Lognormal(spread) => write!(f, "lognormal:{spread}"),
        }
    }
}

/// Parses a duration such as `250ms` or `1m`.
///
/// # Errors
/// `text` is not a duration, or longer than [`DELAY_MAX`].
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

    /// Mean, standard deviation, least and most of 20,000 draws around 100.
    fn draw_many(distribution: Distribution, jitter: f64) -> [f64; 4] {
        const DRAWS: u32 = 20_000;
        let delay = Delay { mean: Duration::from_millis(100), distribution, jitter };
        let mut rng = Rng::with_seed(1);
        let draws: Vec<f64> = (0..DRAWS).map(|_| delay.draw(&mut rng).as_secs_f64() * 1000.0).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(DRAWS);
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / f64::from(DRAWS);
        let least = draws.iter().copied().fold(f64::INFINITY, f64::min);
        [mean, variance.sqrt(), least, draws.iter().copied().fold(0.0, f64::max)]
    }

    #[test]
    fn every_distribution_has_its_mean_and_spread() {
        for (distribution, deviation) in [
            (Distribution::Constant, 0.0),
            (Distribution::Normal(0.2), 20.0),
            (Distribution::Lognormal(0.2), 20.0),
            (Distribution::Lognormal(1.0), 100.0),
        ] {
            let [mean, measured, ..] = draw_many(distribution, 0.0);
            assert!((mean - 100.0).abs() < 3.0, "{distribution}: mean {mean}");
            assert!((measured - deviation).abs() <= deviation * 0.1, "{distribution}: deviation {measured}");
        }
    }

    #[test]
    fn no_draw_is_negative_or_unbounded() {
        for distribution in [Distribution::Normal(2.0), Distribution::Lognormal(2.0)] {
            let [_, _, least, most] = draw_many(distribution, 1.0);
            assert!(least >= 0.0 && most <= 100.0 * FACTOR_MAX * 2.0, "{distribution}: {least} {most}");
        }
    }

    #[test]
    fn jitter_stays_within_its_fraction_and_keeps_the_mean() {
        let [mean, _, least, most] = draw_many(Distribution::Constant, 0.2);
        assert!((99.0..101.0).contains(&mean), "{mean}");
        assert!(least >= 80.0 && most <= 120.0, "{least} {most}");
    }

    #[test]
    fn a_distribution_is_printed_as_it_was_parsed() {
        for text in ["constant", "normal:0.3", "lognormal:0.5"] {
            assert_eq!(text.parse::<Distribution>().unwrap().to_string(), text);
        }
        assert_eq!("normal".parse(), Ok(Distribution::Normal(0.2)));
        for text in ["", "uniform", "constant:1", "normal:", "normal:0", "normal:-1", "normal:3", "normal:NaN"] {
            assert!(text.parse::<Distribution>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_delay_over_a_day_is_rejected() {
        assert_eq!(parse_delay("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_delay("0s"), Ok(Duration::ZERO));
        for text in ["", "5", "-1s", "fast", "2days"] {
            assert!(parse_delay(text).is_err(), "{text}");
        }
    }
}
