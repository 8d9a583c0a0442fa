//! The retry budget against a model that remembers every call and every retry, under random calls,
//! retries and passing time; and its guarantee over the whole time.

use std::time::Duration;

use proptest::prelude::*;
use resilience::{RetryBudget, RetryBudgetLimits};

const TTL_MS: u64 = 1000;
const SLOT_MS: u64 = TTL_MS / 10;

#[derive(Debug, Clone, Copy)]
enum Step {
    Call,
    Retry,
    /// Milliseconds pass.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => Just(Step::Call),
        4 => Just(Step::Retry),
        2 => (1..SLOT_MS).prop_map(Step::Pass),
        1 => (1..2 * TTL_MS).prop_map(Step::Pass),
    ]
}

#[derive(Default)]
struct Model {
    now: u64,
    calls: Vec<u64>,
    retries: Vec<u64>,
}

impl Model {
    /// Events in the current slot and the nine before it.
    fn recent(&self, events: &[u64]) -> u64 {
        events.iter().filter(|at| *at / SLOT_MS + 10 > self.now / SLOT_MS).count() as u64
    }

    fn try_retry(&mut self, share_percent: u64, reserve: u64) -> bool {
        let allowed = reserve + share_percent * self.recent(&self.calls) / 100;
        let granted = self.recent(&self.retries) < allowed;
        if granted {
            self.retries.push(self.now);
        }
        granted
    }

    /// Over all the time so far: the share of all calls, and the reserve once per time to live.
    fn most_retries(&self, share_percent: u64, reserve: u64) -> u64 {
        share_percent * self.calls.len() as u64 / 100 + reserve * (self.now / TTL_MS + 1)
    }
}

proptest! {
    #[test]
    fn the_same_retries_are_granted_as_in_the_model(
        share_percent in 0_u8..=100,
        reserve_per_second in 0_u32..4,
        steps in proptest::collection::vec(step(), 1..300),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let ttl = Duration::from_millis(TTL_MS);
            let budget = RetryBudget::new(RetryBudgetLimits { ttl, share_percent, reserve_per_second }).unwrap();
            let (share, reserve) = (u64::from(share_percent), u64::from(reserve_per_second));
            let mut model = Model::default();
            let mut rejected = 0;
            for step in steps {
                match step {
                    Step::Call => {
                        budget.note_call();
                        model.calls.push(model.now);
                    }
                    Step::Retry => {
                        let granted = budget.try_retry();
                        assert_eq!(granted, model.try_retry(share, reserve), "at {} ms", model.now);
                        rejected += u64::from(!granted);
                    }
                    Step::Pass(ms) => {
                        tokio::time::advance(Duration::from_millis(ms)).await;
                        model.now += ms;
                    }
                }
                assert_eq!(budget.rejected(), rejected);
                assert!(model.retries.len() as u64 <= model.most_retries(share, reserve), "at {} ms", model.now);
            }
        });
    }
}
