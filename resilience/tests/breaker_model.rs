//! The breaker against a model that keeps the history of every call, under random calls, verdicts,
//! cancellations and passing time.

use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;
use resilience::{Breaker, BreakerGuard, BreakerState};

const OPEN_MS: u64 = 300;

#[derive(Debug, Clone, Copy)]
enum Step {
    Enter,
    /// One of the calls in flight ends: with a success, a failure, or neither.
    End(usize, Option<bool>),
    /// Milliseconds pass.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![3 => Just(Some(true)), 4 => Just(Some(false)), 1 => Just(None)];
    prop_oneof![
        4 => Just(Step::Enter),
        4 => (any::<usize>(), verdict).prop_map(|(pick, verdict)| Step::End(pick, verdict)),
        2 => (1..OPEN_MS).prop_map(Step::Pass),
    ]
}

/// The definition. A phase is a time in which the breaker stayed in one state; phases are numbered.
struct Model {
    failures_to_open: NonZeroU32,
    now: u64,
    phase: usize,
    /// When the phase began, in ms.
    began: u64,
    state: BreakerState,
    /// The phases in which the calls in flight began, in the order of the real ones.
    under_way: Vec<usize>,
    /// The verdicts of this phase: whether each call succeeded.
    verdicts: Vec<bool>,
    opened: u64,
    rejected: u64,
}

impl Model {
    fn state(&self) -> BreakerState {
        let over = self.state == BreakerState::Open && self.now >= self.began + OPEN_MS;
        if over { BreakerState::HalfOpen } else { self.state }
    }

    fn change_to(&mut self, state: BreakerState) {
        self.opened += u64::from(state == BreakerState::Open);
        self.state = state;
        self.phase += 1;
        self.began = self.now;
        self.verdicts.clear();
    }

    fn enter(&mut self) -> bool {
        if self.state() != self.state {
            self.change_to(BreakerState::HalfOpen);
        }
        let probing = self.under_way.contains(&self.phase);
        let passes = self.state == BreakerState::Closed || (self.state == BreakerState::HalfOpen && !probing);
        if passes {
            self.under_way.push(self.phase);
        } else {
            self.rejected += 1;
        }
        passes
    }

    fn end(&mut self, pick: usize, verdict: Option<bool>) {
        let current = self.under_way.remove(pick) == self.phase;
        let Some(success) = verdict.filter(|_| current) else { return };
        self.verdicts.push(success);
        match (self.state, success) {
            (BreakerState::HalfOpen, true) => self.change_to(BreakerState::Closed),
            (BreakerState::HalfOpen, false) => self.change_to(BreakerState::Open),
            (_, false) if self.trips() => self.change_to(BreakerState::Open),
            _ => {}
        }
    }

    fn trips(&self) -> bool {
        let in_a_row = self.verdicts.iter().rev().take_while(|success| !**success).count();
        in_a_row >= self.failures_to_open.get() as usize
    }
}

proptest! {
    #[test]
    fn the_same_calls_pass_as_in_the_model(
        failures_to_open in 1_u32..5,
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let failures_to_open = NonZeroU32::new(failures_to_open).unwrap();
            let breaker = Breaker::new(failures_to_open, Duration::from_millis(OPEN_MS)).unwrap();
            let mut under_way: Vec<BreakerGuard> = Vec::new();
            let mut model = Model {
                failures_to_open, now: 0, phase: 0, began: 0, state: BreakerState::Closed,
                under_way: Vec::new(), verdicts: Vec::new(), opened: 0, rejected: 0,
            };
            for step in steps {
                match step {
                    Step::Enter => {
                        let entered = breaker.try_enter();
                        assert_eq!(entered.is_ok(), model.enter(), "at {} ms", model.now);
                        under_way.extend(entered);
                    }
                    Step::End(pick, verdict) if !under_way.is_empty() => {
                        let pick = pick % under_way.len();
                        let guard = under_way.remove(pick);
                        match verdict {
                            Some(true) => guard.success(),
                            Some(false) => guard.failure(),
                            None => drop(guard),
                        }
                        model.end(pick, verdict);
                    }
                    Step::End(..) => {}
                    Step::Pass(ms) => {
                        tokio::time::advance(Duration::from_millis(ms)).await;
                        model.now += ms;
                    }
                }
                let report = breaker.report();
                let seen = (report.state, report.opened, report.rejected);
                assert_eq!(seen, (model.state(), model.opened, model.rejected), "after {step:?} at {} ms", model.now);
            }
        });
    }
}
