//! Admission against a naive model of it, under random arrivals, completions, cancellations and
//! passing time: the same callers get in, in the same order, at the same moments; the others are
//! rejected for the same reason; and no permit or place in the queue is ever lost or made up.

use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use resilience::{Admission, Permit, QueueLimits, Rejected};

const TIMEOUT_MS: u64 = 50;

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrive,
    /// One of those who run ends its call.
    Complete(usize),
    /// One of those who wait gives up.
    Cancel(usize),
    /// So many milliseconds pass.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Arrive),
        2 => any::<usize>().prop_map(Step::Complete),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => (1..TIMEOUT_MS).prop_map(Step::Pass),
    ]
}

/// What became of each caller, by its number.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fates {
    admitted: Vec<usize>,
    queue_full: Vec<usize>,
    timed_out: Vec<usize>,
}

/// The definition, as plainly as it can be written.
struct Model {
    limit: usize,
    max_queued: usize,
    now: u64,
    arrived: usize,
    running: Vec<usize>,
    waiting: VecDeque<(usize, u64)>,
    fates: Fates,
}

impl Model {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Arrive => {
                let caller = self.arrived;
                self.arrived += 1;
                if self.running.len() < self.limit {
                    self.admit(caller);
                } else if self.waiting.len() < self.max_queued {
                    self.waiting.push_back((caller, self.now + TIMEOUT_MS));
                } else {
                    self.fates.queue_full.push(caller);
                }
            }
            Step::Complete(pick) if !self.running.is_empty() => {
                self.running.remove(pick % self.running.len());
                if let Some((caller, _)) = self.waiting.pop_front() {
                    self.admit(caller);
                }
            }
            Step::Cancel(pick) if !self.waiting.is_empty() => {
                self.waiting.remove(pick % self.waiting.len());
            }
            Step::Pass(ms) => {
                self.now += ms;
                let late = self.waiting.iter().take_while(|(_, until)| *until <= self.now).count();
                self.fates.timed_out.extend(self.waiting.drain(..late).map(|(caller, _)| caller));
            }
            Step::Complete(_) | Step::Cancel(_) => {}
        }
    }

    fn admit(&mut self, caller: usize) {
        self.running.push(caller);
        self.fates.admitted.push(caller);
    }
}

type Wait = Pin<Box<dyn Future<Output = Result<Permit, Rejected>>>>;

/// The real one, driven by hand: after every step each waiting future is polled, so that the order
/// in which they finish is the order in which they were let in.
struct Real {
    admission: Admission,
    arrived: usize,
    running: Vec<(usize, Permit)>,
    waiting: Vec<(usize, Wait)>,
    fates: Fates,
}

impl Real {
    async fn apply(&mut self, step: Step) {
        match step {
            Step::Arrive => {
                let admission = self.admission.clone();
                let wait: Wait = Box::pin(async move { admission.admit().await });
                self.waiting.push((self.arrived, wait));
                self.arrived += 1;
            }
            Step::Complete(pick) if !self.running.is_empty() => {
                self.running.remove(pick % self.running.len());
            }
            Step::Cancel(pick) if !self.waiting.is_empty() => {
                drop(self.waiting.remove(pick % self.waiting.len()));
            }
            Step::Pass(ms) => tokio::time::advance(Duration::from_millis(ms)).await,
            Step::Complete(_) | Step::Cancel(_) => {}
        }
        self.poll_all();
    }

    fn poll_all(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut still_waiting = Vec::new();
        for (caller, mut wait) in self.waiting.drain(..) {
            match wait.as_mut().poll(&mut context) {
                Poll::Pending => still_waiting.push((caller, wait)),
                Poll::Ready(Ok(permit)) => {
                    self.fates.admitted.push(caller);
                    self.running.push((caller, permit));
                }
                Poll::Ready(Err(Rejected::QueueFull { .. })) => self.fates.queue_full.push(caller),
                Poll::Ready(Err(Rejected::QueueTimeout { .. })) => self.fates.timed_out.push(caller),
            }
        }
        self.waiting = still_waiting;
    }
}

proptest! {
    #[test]
    fn the_same_callers_get_in_as_in_the_model(
        limit in 1_usize..5,
        max_queued in 0_usize..5,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let limits = QueueLimits { max_queued, timeout: Duration::from_millis(TIMEOUT_MS) };
            let admission = Admission::new(NonZeroUsize::new(limit).unwrap(), limits);
            let mut model = Model {
                limit, max_queued, now: 0, arrived: 0,
                running: Vec::new(), waiting: VecDeque::new(), fates: Fates::default(),
            };
            let mut real = Real {
                admission: admission.clone(), arrived: 0,
                running: Vec::new(), waiting: Vec::new(), fates: Fates::default(),
            };
            for step in steps {
                model.apply(step);
                real.apply(step).await;
                assert_eq!(real.fates, model.fates, "after {step:?}");
                let load = admission.load();
                assert_eq!((load.held, load.queued), (model.running.len(), model.waiting.len()));
                let permits = admission.permits();
                assert_eq!(permits.taken(), permits.returned() + load.held as u64);
            }
            real.running.clear();
            real.waiting.clear();
            let load = admission.load();
            assert_eq!((load.held, load.queued), (0, 0), "at rest nothing is held");
        });
    }
}
