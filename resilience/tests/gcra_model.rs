//! `Gcra` against a bucket filled and emptied in whole numbers: the same takes succeed, at the same nanosecond. And its
//! guarantee, over every window.

use std::num::NonZeroU64;
use std::time::Duration;

use proptest::prelude::*;
use resilience::{Gcra, Rate, TryTakeError};
use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
enum Step {
    Take(u64),
    Charge(u64),
    Refund(u64),
    /// Nanoseconds pass.
    Pass(u64),
    /// Time passes until this many units can be taken.
    PassUntilReady(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..8).prop_map(Step::Take),
        1 => (0_u64..12).prop_map(Step::Charge),
        1 => (0_u64..12).prop_map(Step::Refund),
        2 => (0_u64..3_000_000_000).prop_map(Step::Pass),
        2 => (0_u64..4).prop_map(Step::Pass),
        2 => (0_u64..8).prop_map(Step::PassUntilReady),
    ]
}

/// The definition: a level that rises evenly up to its limit, in units × nanoseconds, so that nothing is rounded.
struct Bucket {
    /// One unit in that measure.
    unit: i128,
    /// How much the level rises in a nanosecond.
    rise: i128,
    limit: i128,
    level: i128,
}

impl Bucket {
    fn pass(&mut self, nanos: u64) {
        self.level = (self.level + self.rise * i128::from(nanos)).min(self.limit);
    }

    fn try_take(&mut self, cost: u64) -> bool {
        let cost = i128::from(cost) * self.unit;
        let taken = cost <= self.limit && cost <= self.level;
        if taken {
            self.level -= cost;
        }
        taken
    }

    fn charge(&mut self, units: u64) {
        self.level -= i128::from(units) * self.unit;
    }

    fn refund(&mut self, units: u64) {
        self.level = (self.level + i128::from(units) * self.unit).min(self.limit);
    }
}

proptest! {
    #[test]
    fn takes_succeed_exactly_when_they_do_in_the_model(
        amount in prop_oneof![1_u64..1000, Just(Rate::AMOUNT_MAX), Just(7)],
        millis in prop_oneof![1_u64..100_000, Just(1000)],
        burst in 1_u64..8,
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let start = Instant::now();
        let rate = Rate::new(amount, Duration::from_millis(millis)).unwrap();
        let mut gcra = Gcra::new(rate, NonZeroU64::new(burst).unwrap(), start);
        let unit = i128::from(millis) * 1_000_000;
        let limit = i128::from(burst) * unit;
        let mut bucket = Bucket { unit, rise: amount.into(), limit, level: limit };
        let mut ledger = Ledger { unit, rise: amount.into(), limit, entries: Vec::new() };
        let mut now = 0;
        for step in steps {
            let at = start + Duration::from_nanos(now);
            match step {
                Step::Take(cost) => {
                    let taken = gcra.try_take(cost, at);
                    prop_assert_eq!(taken.is_ok(), bucket.try_take(cost), "{:?} at {} ns: {:?}", step, now, taken);
                    prop_assert_eq!(matches!(taken, Err(TryTakeError::ExceedsBurst(_))), cost > burst);
                    // What can be taken one by one until some time, of which the next would be too late.
                    let until = at + Duration::from_nanos(now % 1_000_000_000);
                    let units = gcra.units_until(until, at);
                    prop_assert!(units == 0 || gcra.ready_behind(units - 1, 1, at) <= until);
                    prop_assert!(gcra.ready_behind(units, 1, at) > until);
                    if taken.is_ok() {
                        ledger.book(now, cost.into());
                        ledger.check();
                    }
                }
                Step::Charge(units) => {
                    gcra.charge(units, at);
                    bucket.charge(units);
                    ledger.book(now, units.into());
                }
                Step::Refund(units) => {
                    gcra.refund(units);
                    bucket.refund(units);
                    ledger.book(now, -i128::from(units));
                }
                Step::Pass(nanos) => {
                    now += nanos;
                    bucket.pass(nanos);
                }
                Step::PassUntilReady(cost) => {
                    if let Ok(ready_at) = gcra.ready_at(cost) {
                        let wait = ready_at.saturating_duration_since(at);
                        if !wait.is_zero() {
                            let early = ready_at - Duration::from_nanos(1);
                            prop_assert!(gcra.try_take(cost, early).is_err(), "a nanosecond before it is ready");
                        }
                        now += wait.as_nanos() as u64;
                        bucket.pass(wait.as_nanos() as u64);
                    }
                }
            }
        }
    }
}

/// Everything taken, charged and refunded, and when.
struct Ledger {
    unit: i128,
    rise: i128,
    limit: i128,
    entries: Vec<(u64, i128)>,
}

impl Ledger {
    fn book(&mut self, at: u64, units: i128) {
        self.entries.push((at, units));
    }

    /// In every window that ends with the newest entry: at most the burst and what the rate adds.
    fn check(&self) {
        let Some((end, _)) = self.entries.last() else { return };
        let mut sum = 0;
        for (begin, units) in self.entries.iter().rev() {
            sum += units;
            let allowed = self.limit + self.rise * i128::from(end - begin);
            assert!(sum * self.unit <= allowed, "{sum} units in {} ns", end - begin);
        }
    }
}
