//! The limits per user against a model that forgets nobody, under random calls, endings and passing time: the bounded
//! table decides as an unbounded one would, except for new users that find it full of users that cannot be forgotten.

use std::collections::HashMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use proptest::prelude::*;
use resilience::{Rate, UserGuard, UserLimitError, UserLimits, UserQuota};

/// Time in which the rate refills one call.
const REFILL_MS: u64 = 10;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A call of this user.
    Enter(u8),
    /// One of the calls ends.
    Leave(usize),
    /// Milliseconds pass.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0_u8..8).prop_map(Step::Enter),
        4 => any::<usize>().prop_map(Step::Leave),
        2 => (1_u64..30).prop_map(Step::Pass),
    ]
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    In,
    OverRate { retry_after_ms: u64 },
    OverInFlight,
    TooManyUsers { retry_after_ms: Option<u64> },
}

/// The plainest form of the rule. Rate is counted in milliseconds of refilling.
struct Model {
    burst: Option<u64>,
    max_in_flight: usize,
    max_users: usize,
    users: HashMap<u8, User>,
}

#[derive(Clone, Copy, Default)]
struct User {
    in_flight: usize,
    /// Rate not refilled yet.
    missing: u64,
}

impl Model {
    fn enter(&mut self, name: u8) -> Answer {
        let others = || self.users.iter().filter(|(other, user)| **other != name && !user.is_rested());
        let mut user = self.users.get(&name).copied().unwrap_or_default();
        if user.is_rested() && others().count() >= self.max_users {
            let at_rest = others().filter(|(_, user)| user.in_flight == 0);
            return Answer::TooManyUsers { retry_after_ms: at_rest.map(|(_, user)| user.missing).min() };
        }
        if user.in_flight >= self.max_in_flight {
            return Answer::OverInFlight;
        }
        if let Some(burst) = self.burst {
            if user.missing + REFILL_MS > burst * REFILL_MS {
                return Answer::OverRate { retry_after_ms: user.missing + REFILL_MS - burst * REFILL_MS };
            }
            user.missing += REFILL_MS;
        }
        user.in_flight += 1;
        self.users.insert(name, user);
        Answer::In
    }

    fn leave(&mut self, name: u8) {
        self.users.entry(name).and_modify(|user| user.in_flight -= 1);
    }

    fn pass(&mut self, ms: u64) {
        self.users.values_mut().for_each(|user| user.missing = user.missing.saturating_sub(ms));
    }
}

impl User {
    fn is_rested(&self) -> bool {
        self.in_flight == 0 && self.missing == 0
    }
}

fn answer(entered: &Result<UserGuard<u8>, UserLimitError>) -> Answer {
    let millis = |time: Duration| time.as_millis() as u64;
    match entered {
        Ok(_) => Answer::In,
        Err(UserLimitError::Rate { retry_after }) => Answer::OverRate { retry_after_ms: millis(*retry_after) },
        Err(UserLimitError::InFlight { .. }) => Answer::OverInFlight,
        Err(UserLimitError::TooManyUsers { retry_after }) => {
            Answer::TooManyUsers { retry_after_ms: retry_after.map(millis) }
        }
    }
}

proptest! {
    #[test]
    fn it_decides_as_a_model_that_forgets_nobody(
        burst in proptest::option::of(1_u64..4),
        max_in_flight in 1_usize..4,
        max_users in 1_usize..6,
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let rate = Rate::new(1, Duration::from_millis(REFILL_MS)).unwrap();
            let limits = UserLimits::new(UserQuota {
                rate: burst.map(|burst| (rate, NonZeroU64::new(burst).unwrap())),
                max_in_flight: NonZeroUsize::new(max_in_flight),
                max_users: NonZeroUsize::new(max_users).unwrap(),
            });
            let mut model = Model { burst, max_in_flight, max_users, users: HashMap::new() };
            let mut calls: Vec<(u8, UserGuard<u8>)> = Vec::new();
            let (mut over_rate, mut over_in_flight, mut table_full) = (0, 0, 0);
            for step in steps {
                match step {
                    Step::Enter(name) => {
                        let entered = limits.try_enter(name);
                        let expected = model.enter(name);
                        assert_eq!(answer(&entered), expected, "{step:?}");
                        over_rate += u64::from(matches!(expected, Answer::OverRate { .. }));
                        over_in_flight += u64::from(expected == Answer::OverInFlight);
                        table_full += u64::from(matches!(expected, Answer::TooManyUsers { .. }));
                        calls.extend(entered.map(|guard| (name, guard)));
                    }
                    Step::Leave(pick) if !calls.is_empty() => {
                        let (name, guard) = calls.remove(pick % calls.len());
                        drop(guard);
                        model.leave(name);
                    }
                    Step::Leave(_) => {}
                    Step::Pass(ms) => {
                        tokio::time::advance(Duration::from_millis(ms)).await;
                        model.pass(ms);
                    }
                }
                let report = limits.report();
                assert!(report.users <= max_users, "{} users", report.users);
                let counted = (report.over_rate, report.over_in_flight, report.table_full);
                assert_eq!(counted, (over_rate, over_in_flight, table_full));
            }
        });
    }
}
