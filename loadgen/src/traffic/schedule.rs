//! When the requests of a load are due.

use std::fmt;
use std::time::Duration;

use super::{Arrivals, Request};

/// When the requests of a load are due.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// A number of requests, each once, evenly over a time.
    Once {
        /// Number of requests.
        count: u32,
        /// Time over which they are sent; zero for all at once.
        over: Duration,
    },
    /// The same number of requests again and again, each time evenly over a time, with pauses in between.
    Bursts {
        /// Number of bursts.
        bursts: u32,
        /// Requests of each.
        each: u32,
        /// Time over which those of a burst are sent.
        over: Duration,
        /// From the start of a burst to that of the next.
        every: Duration,
    },
    /// Open model: new requests at a rate, however many are still unanswered, until the load is stopped.
    Rate {
        /// Requests per second.
        per_second: f64,
        /// Their spacing.
        arrivals: Arrivals,
        /// Time over which the rate rises from zero, evenly.
        over: Duration,
    },
    /// Closed model: virtual users, each of which sends its next request when the last one has ended, until the load is
    /// stopped.
    Concurrency {
        /// Number of users.
        count: u32,
        /// Time over which they begin, evenly.
        over: Duration,
    },
    /// Different requests, each once the one before has ended, whether or not it failed. They take the place of the
    /// load's own request.
    Sequence(Vec<Step>),
}

/// A request of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name in the result.
    pub name: String,
    /// The request.
    pub request: Request,
}

impl Schedule {
    /// `count` requests, all at once.
    #[must_use]
    pub fn at_once(count: u32) -> Self {
        Schedule::Once { count, over: Duration::ZERO }
    }

    /// `count` requests, evenly over `over`.
    #[must_use]
    pub fn once(count: u32, over: Duration) -> Self {
        Schedule::Once { count, over }
    }

    /// Requests at equal gaps.
    #[must_use]
    pub fn rate(per_second: f64) -> Self {
        Schedule::Rate { per_second, arrivals: Arrivals::Constant, over: Duration::ZERO }
    }

    /// Requests of independent users, with exponential gaps.
    #[must_use]
    pub fn poisson(per_second: f64) -> Self {
        Schedule::Rate { per_second, arrivals: Arrivals::Poisson, over: Duration::ZERO }
    }

    /// `count` virtual users, who all begin at once.
    #[must_use]
    pub fn concurrency(count: u32) -> Self {
        Schedule::Concurrency { count, over: Duration::ZERO }
    }

    /// Time until all of its requests, or its users, have begun, or its rate is reached; zero for a sequence.
    #[must_use]
    pub fn ramp(&self) -> Duration {
        match self {
            Schedule::Once { over, .. } | Schedule::Concurrency { over, .. } | Schedule::Rate { over, .. } => *over,
            Schedule::Bursts { bursts, over, every, .. } => *every * bursts.saturating_sub(1) + *over,
            Schedule::Sequence(_) => Duration::ZERO,
        }
    }

    /// Virtual users that have begun by `since` its start; zero where there are none.
    #[must_use]
    pub fn users_at(&self, since: Duration) -> u64 {
        match self {
            Schedule::Concurrency { count, over } if since >= *over => u64::from(*count),
            // The first begins at once.
            Schedule::Concurrency { count, over } => {
                let begun = f64::from(*count) * since.as_secs_f64() / over.as_secs_f64();
                (begun as u64 + 1).min(u64::from(*count))
            }
            _ => 0,
        }
    }

    /// Whether it ends by itself; otherwise it goes on until the load is stopped.
    #[must_use]
    pub fn ends(&self) -> bool {
        matches!(self, Schedule::Once { .. } | Schedule::Bursts { .. } | Schedule::Sequence(_))
    }

    /// Most requests that can be unanswered at once, where each takes at most `longest`.
    #[must_use]
    pub fn in_flight_max(&self, longest: Duration) -> u64 {
        match self {
            Schedule::Once { count, .. } | Schedule::Concurrency { count, .. } => u64::from(*count),
            Schedule::Bursts { bursts, each, .. } => u64::from(*bursts) * u64::from(*each),
            Schedule::Rate { per_second, .. } => (per_second * longest.as_secs_f64()).ceil() as u64,
            Schedule::Sequence(steps) => u64::from(!steps.is_empty()),
        }
    }
}

impl Step {
    /// A step of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, request: Request) -> Self {
        Step { name: name.into(), request }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Once { count, over } if over.is_zero() => write!(f, "{count} at once"),
            Schedule::Once { count, over } => write!(f, "{count} over {over:?}"),
            Schedule::Bursts { bursts, each, over, .. } => write!(f, "{bursts} x {each} over {over:?}"),
            Schedule::Rate { per_second, arrivals: Arrivals::Constant, .. } => write!(f, "{per_second} per second"),
            Schedule::Rate { per_second, arrivals: Arrivals::Poisson, .. } => {
                write!(f, "{per_second} per second, Poisson")
            }
            Schedule::Concurrency { count, .. } => write!(f, "{count} users"),
            Schedule::Sequence(steps) => write!(f, "{} in sequence", steps.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_end_with_the_last_one() {
        let (over, every) = (Duration::from_millis(50), Duration::from_secs(1));
        let bursts = Schedule::Bursts { bursts: 3, each: 20, over, every };
        assert_eq!((bursts.ramp(), bursts.in_flight_max(Duration::ZERO)), (Duration::from_millis(2050), 60));
        assert!(bursts.ends() && bursts.users_at(every) == 0);
        assert_eq!(bursts.to_string(), "3 x 20 over 50ms");
    }

    #[test]
    fn users_begin_one_after_another() {
        let ramp = Schedule::Concurrency { count: 4, over: Duration::from_secs(2) };
        let at = |millis| ramp.users_at(Duration::from_millis(millis));
        assert_eq!([0, 499, 501, 1_600, 2_000, 60_000].map(at), [1, 1, 2, 4, 4, 4]);
        assert_eq!(Schedule::concurrency(3).users_at(Duration::ZERO), 3);
        assert_eq!(
            (Schedule::concurrency(0).users_at(Duration::ZERO), Schedule::at_once(9).users_at(Duration::MAX)),
            (0, 0)
        );
    }
}
