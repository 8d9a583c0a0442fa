//! The rate limit that is waited for together with a permit, against a naive model, under random
//! arrivals, cancellations, completions, charges and refunds: the same callers get in at the same
//! moments, first come, first served, and nobody else costs the rate anything.

use std::collections::VecDeque;
use std::future::Future;
use std::num::{NonZeroU64, NonZeroUsize};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use resilience::{OverBurst, Permit, Permits, Rate, RateLimit};
use tokio::time::Instant;

/// One unit of rate comes in this time.
const UNIT_MS: i64 = 10;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A caller of this cost; every cost that is over the burst is made the burst.
    Arrive(u64),
    /// One of those who run ends its call.
    Complete(usize),
    /// One of those who wait gives up.
    Cancel(usize),
    /// So much was reserved somewhere, and so much used.
    Settle(u64, u64),
    /// So many milliseconds pass.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1_u64..4).prop_map(Step::Arrive),
        3 => any::<usize>().prop_map(Step::Complete),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => (0_u64..5, 0_u64..5).prop_map(|(reserved, used)| Step::Settle(reserved, used)),
        4 => (1_u64..40).prop_map(Step::Pass),
    ]
}

/// The definition, as plainly as it can be written. Rate is counted in milliseconds of it.
struct Model {
    burst: i64,
    rate: i64,
    free_permits: usize,
    arrived: usize,
    waiting: VecDeque<(usize, i64)>,
    running: Vec<usize>,
    admitted: Vec<usize>,
}

impl Model {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Arrive(cost) => {
                self.waiting.push_back((self.arrived, (cost as i64 * UNIT_MS).min(self.burst)));
                self.arrived += 1;
            }
            Step::Complete(pick) if !self.running.is_empty() => {
                self.running.remove(pick % self.running.len());
                self.free_permits += 1;
            }
            Step::Cancel(pick) if !self.waiting.is_empty() => {
                self.waiting.remove(pick % self.waiting.len());
            }
            Step::Settle(reserved, used) => {
                self.rate = (self.rate + (reserved as i64 - used as i64) * UNIT_MS).min(self.burst);
            }
            Step::Pass(ms) => self.rate = (self.rate + ms as i64).min(self.burst),
            Step::Complete(_) | Step::Cancel(_) => {}
        }
        while let Some((caller, cost)) = self.waiting.front().copied()
            && cost <= self.rate
            && self.free_permits > 0
        {
            self.waiting.pop_front();
            self.rate -= cost;
            self.free_permits -= 1;
            self.running.push(caller);
            self.admitted.push(caller);
        }
    }
}

type Wait = Pin<Box<dyn Future<Output = Result<Permit, OverBurst>>>>;

/// The real one, driven by hand: after every step each waiting future is polled once, in the order in
/// which the callers came.
struct Real {
    burst: u64,
    limit: RateLimit,
    permits: Permits,
    arrived: usize,
    waiting: Vec<(usize, Wait)>,
    running: Vec<(usize, Permit)>,
    admitted: Vec<usize>,
}

impl Real {
    async fn apply(&mut self, step: Step) {
        match step {
            Step::Arrive(cost) => {
                let (cost, limit, permits) = (cost.min(self.burst), self.limit.clone(), self.permits.clone());
                let wait: Wait = Box::pin(async move { limit.take_with(cost, || permits.take()).await });
                self.waiting.push((self.arrived, wait));
                self.arrived += 1;
            }
            Step::Complete(pick) if !self.running.is_empty() => {
                self.running.remove(pick % self.running.len());
            }
            Step::Cancel(pick) if !self.waiting.is_empty() => {
                drop(self.waiting.remove(pick % self.waiting.len()));
            }
            Step::Settle(reserved, used) => self.limit.settle(reserved, used),
            Step::Pass(ms) => tokio::time::advance(Duration::from_millis(ms)).await,
            Step::Complete(_) | Step::Cancel(_) => {}
        }
        let mut context = Context::from_waker(Waker::noop());
        let mut still_waiting = Vec::new();
        for (caller, mut wait) in self.waiting.drain(..) {
            match wait.as_mut().poll(&mut context) {
                Poll::Pending => still_waiting.push((caller, wait)),
                Poll::Ready(Ok(permit)) => {
                    self.admitted.push(caller);
                    self.running.push((caller, permit));
                }
                Poll::Ready(Err(error)) => panic!("every cost was made to fit: {error}"),
            }
        }
        self.waiting = still_waiting;
    }
}

proptest! {
    #[test]
    fn the_same_callers_get_in_and_only_they_cost_rate(
        burst in 1_u64..5,
        permits in 1_usize..4,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let rate = Rate::new(1, Duration::from_millis(UNIT_MS as u64)).unwrap();
            let mut real = Real {
                burst,
                limit: RateLimit::new(rate, NonZeroU64::new(burst).unwrap()),
                permits: Permits::new(NonZeroUsize::new(permits).unwrap()),
                arrived: 0, waiting: Vec::new(), running: Vec::new(), admitted: Vec::new(),
            };
            let full = burst as i64 * UNIT_MS;
            let mut model = Model {
                burst: full, rate: full, free_permits: permits,
                arrived: 0, waiting: VecDeque::new(), running: Vec::new(), admitted: Vec::new(),
            };
            for step in steps {
                model.apply(step);
                real.apply(step).await;
                assert_eq!(real.admitted, model.admitted, "after {step:?}");
                assert_eq!(real.permits.held(), model.running.len(), "after {step:?}");
                let full_in = real.limit.ready_at(burst).unwrap().saturating_duration_since(Instant::now());
                assert_eq!(full_in.as_millis() as i64, full - model.rate, "after {step:?}");
            }
        });
    }
}
