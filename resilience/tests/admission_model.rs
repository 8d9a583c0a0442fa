//! Admission against a naive model, under random arrivals, completions, cancellations and passing time: the same callers
//! are admitted, in the same order, at the same times; the others are rejected for the same reasons; and no permit, place
//! in the queue or rate is ever lost or invented.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "admission_model/model.rs"]
mod model;

use std::future::Future;
use std::num::{NonZeroU64, NonZeroUsize};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use model::{CLASSES, Fate, MS_A_REQUEST, Model, REQUEST_BURST, Setting, TIMEOUT_MS, TOKEN_BURST};
use proptest::prelude::*;
use resilience::{Admission, AdmissionError, AdmissionLimits, AdmissionPermit};

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrive {
        class: usize,
        tokens: u64,
    },
    /// One of the running calls ends, with the tokens it used.
    Complete {
        pick: usize,
        used: u64,
    },
    /// One of the waiting callers gives up.
    Cancel(usize),
    /// Milliseconds pass.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..CLASSES.len(), 0..=TOKEN_BURST + 1).prop_map(|(class, tokens)| Step::Arrive { class, tokens }),
        2 => (any::<usize>(), 0..2 * TOKEN_BURST).prop_map(|(pick, used)| Step::Complete { pick, used }),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => (1..TIMEOUT_MS).prop_map(Step::Pass),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    (1_usize..5, 0_usize..9, any::<[bool; 3]>()).prop_map(|(limit, max_queued, [requests, tokens, classes])| Setting {
        limit,
        max_queued,
        requests,
        tokens,
        classes,
    })
}

type Wait = Pin<Box<dyn Future<Output = Result<AdmissionPermit, AdmissionError>>>>;

/// The real one, polled by hand: after every step each waiting future is polled in order, so that the order in which they
/// finish can be compared.
struct Real {
    admission: Admission,
    arrived: usize,
    running: Vec<AdmissionPermit>,
    waiting: Vec<(usize, Wait)>,
    fates: Vec<(usize, Fate)>,
}

impl Real {
    fn new(setting: Setting) -> Self {
        let rate = |text: String, burst| Some((text.parse().unwrap(), NonZeroU64::new(burst).unwrap()));
        let limits = AdmissionLimits {
            max_in_flight: NonZeroUsize::new(setting.limit).unwrap(),
            max_queued: setting.max_queued,
            timeout: Duration::from_millis(TIMEOUT_MS),
            requests: rate(format!("1/{MS_A_REQUEST}ms"), REQUEST_BURST).filter(|_| setting.requests),
            tokens: rate("1/1ms".into(), TOKEN_BURST).filter(|_| setting.tokens),
        };
        let classes = (0..).zip(CLASSES).filter(|_| setting.classes).filter_map(|(class, its)| {
            let (ms, burst) = its?;
            Some((usize::to_string(&class).into(), rate(format!("1/{ms}ms"), burst)?))
        });
        let admission = Admission::with_classes(limits, classes);
        Real { admission, arrived: 0, running: Vec::new(), waiting: Vec::new(), fates: Vec::new() }
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Arrive { class, tokens } => {
                let admission = self.admission.clone();
                let wait: Wait = Box::pin(async move { admission.admit_class(Some(&class.to_string()), tokens).await });
                self.waiting.push((self.arrived, wait));
                self.arrived += 1;
            }
            Step::Complete { pick, used } if !self.running.is_empty() => {
                let mut admitted = self.running.remove(pick % self.running.len());
                admitted.settle(used);
            }
            Step::Cancel(pick) if !self.waiting.is_empty() => {
                drop(self.waiting.remove(pick % self.waiting.len()));
            }
            Step::Pass(ms) => {
                for _ in 0..ms {
                    tokio::time::advance(Duration::from_millis(1)).await;
                    self.poll_all();
                }
            }
            Step::Complete { .. } | Step::Cancel(_) => {}
        }
        self.poll_all();
    }

    fn poll_all(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut still_waiting = Vec::new();
        for (caller, mut wait) in self.waiting.drain(..) {
            let fate = match wait.as_mut().poll(&mut context) {
                Poll::Pending => {
                    still_waiting.push((caller, wait));
                    continue;
                }
                Poll::Ready(Ok(admitted)) => {
                    self.running.push(admitted);
                    Fate::Admitted
                }
                Poll::Ready(Err(AdmissionError::QueueFull { .. })) => Fate::QueueFull,
                Poll::Ready(Err(AdmissionError::WaitTooLong { .. })) => Fate::WaitTooLong,
                Poll::Ready(Err(AdmissionError::QueueTimeout { .. })) => Fate::TimedOut,
                Poll::Ready(Err(AdmissionError::ExceedsBurst(_))) => Fate::ExceedsBurst,
            };
            self.fates.push((caller, fate));
        }
        self.waiting = still_waiting;
    }
}

fn apply(model: &mut Model, step: Step) {
    match step {
        Step::Arrive { class, tokens } => model.arrive(class, tokens),
        Step::Complete { pick, used } => model.complete(pick, used),
        Step::Cancel(pick) => model.cancel(pick),
        Step::Pass(ms) => (0..ms).for_each(|_| model.pass_a_millisecond()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_same_callers_are_admitted_as_in_the_model(
        setting in setting(),
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let mut model = Model::new(setting);
            let mut real = Real::new(setting);
            for step in steps {
                apply(&mut model, step);
                real.apply(step).await;
                assert_eq!(real.fates, model.fates, "after {step:?}");
                let load = real.admission.load();
                assert_eq!((load.held, load.queued), (model.running.len(), model.waiting.len()));
                let permits = real.admission.permits();
                assert_eq!(permits.taken(), permits.returned() + load.held as u64);
            }
            real.running.clear();
            real.waiting.clear();
            let load = real.admission.load();
            assert_eq!((load.held, load.queued), (0, 0), "at rest nothing is held");
        });
    }
}
