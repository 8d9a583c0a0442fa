//! The loop of attempts against a naive model of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;
use resilience::{Backoff, Deadline, NextAttempt, Permits, RetryBudget, RetryBudgetLimits, RetryPolicy, Retryable};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

/// Without jitter, which the tests of `Backoff` hold.
const NO_JITTER: Backoff = Backoff { base: Duration::ZERO, cap: Duration::ZERO };

/// How an attempt ends, in a script.
#[derive(Debug, Clone, Copy)]
struct End {
    takes_ms: u64,
    /// None: it succeeds.
    fails: Option<Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Error {
    retryable: bool,
    retry_after_ms: Option<u64>,
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        self.retryable
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }
}

const BUSY: Error = Error { retryable: true, retry_after_ms: None };

fn end() -> impl Strategy<Value = End> {
    let error = (prop::bool::weighted(0.8), prop::option::of(0_u64..60))
        .prop_map(|(retryable, retry_after_ms)| Error { retryable, retry_after_ms });
    (0_u64..80, prop::option::weighted(0.8, error)).prop_map(|(takes_ms, fails)| End { takes_ms, fails })
}

/// Calls one after the other, each with what its attempts would come to.
fn calls() -> impl Strategy<Value = Vec<Vec<End>>> {
    prop::collection::vec(prop::collection::vec(end(), 6), 1..8)
}

/// What one call came to: when its attempts began, its result, and why no other attempt was made.
type Seen = (Vec<u64>, Result<(), Error>, Option<NextAttempt>);

/// The rule, written down as plainly as it can be.
fn model(script: &[End], limits: (u32, u64, u64, u64), (calls, retries): (u64, &mut u64), mut now: u64) -> (Seen, u64) {
    let (attempts, min_attempt, sla, share) = limits;
    let deadline = now + sla;
    let mut starts = Vec::new();
    for end in script {
        starts.push(now);
        now += end.takes_ms;
        let Some(error) = end.fails else { return ((starts, Ok(()), None), now) };
        let wait = error.retry_after_ms.unwrap_or(0);
        if !error.retryable || starts.len() as u32 == attempts || now + wait + min_attempt > deadline {
            return ((starts, Err(error), Some(NextAttempt::None)), now);
        }
        if (*retries + 1) * 100 > share * calls {
            return ((starts, Err(error), Some(NextAttempt::NoBudget)), now);
        }
        *retries += 1;
        now += wait;
    }
    unreachable!("a script is longer than there are attempts")
}

proptest! {
    #[test]
    fn the_loop_makes_the_attempts_of_the_model_at_the_same_times(
        calls in calls(), attempts in 1_u32..6, min_attempt in 1_u64..50, sla in 50_u64..400, share in 0_u8..=100,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let ttl = Duration::from_secs(60);
            let budget = RetryBudget::new(RetryBudgetLimits { ttl, share_percent: share, reserve_per_second: 0 }).unwrap();
            let min_attempt_time = Duration::from_millis(min_attempt);
            let policy = RetryPolicy { attempts, min_attempt_time, backoff: NO_JITTER, budget };
            let (start, mut retries, mut now) = (Instant::now(), 0, 0);
            for (before, script) in calls.iter().enumerate() {
                let limits = (attempts, min_attempt, sla, u64::from(share));
                let (expected, ends) = model(script, limits, (before as u64 + 1, &mut retries), now);
                now = ends;

                let (starts, mut ends, last) = (RefCell::new(Vec::new()), script.iter(), RefCell::new(None));
                let attempt = || {
                    starts.borrow_mut().push(start.elapsed().as_millis() as u64);
                    let end = *ends.next().unwrap();
                    async move {
                        sleep(Duration::from_millis(end.takes_ms)).await;
                        end.fails.map_or(Ok(()), Err)
                    }
                };
                let deadline = Deadline::after(Duration::from_millis(sla));
                let result = policy.run(deadline, attempt, |failed| *last.borrow_mut() = Some(failed.next)).await;
                let last = result.is_err().then(|| last.into_inner()).flatten();
                prop_assert_eq!((starts.into_inner(), result, last), expected);
                prop_assert_eq!(start.elapsed().as_millis() as u64, now);
            }
            Ok(())
        })?;
    }
}

fn policy(attempts: u32, backoff: Backoff) -> RetryPolicy {
    let budget = RetryBudget::new(RetryBudgetLimits::default()).unwrap();
    RetryPolicy { attempts, min_attempt_time: MS, backoff, budget }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_an_attempt_is_held_while_the_next_is_waited_for() {
    let permits = Permits::new(NonZeroUsize::MIN);
    let attempt = || async {
        let _permit = permits.take().await;
        sleep(100 * MS).await;
        Err::<(), _>(Error { retryable: true, retry_after_ms: Some(900) })
    };
    let policy = policy(3, NO_JITTER);
    let looping = policy.run(Deadline::after(60_000 * MS), attempt, |_| {});
    let looking = async {
        sleep(500 * MS).await;
        assert_eq!(permits.held(), 0, "between the first attempt and the second");
        sleep(550 * MS).await;
        assert_eq!(permits.held(), 1, "during the second");
    };
    let (result, ()) = tokio::join!(looping, looking);
    assert!(result.is_err());
}

#[tokio::test(start_paused = true)]
async fn jitter_is_added_to_the_wait_that_the_service_asks_for() {
    let backoff = Backoff { base: 100 * MS, cap: 100 * MS };
    let asked = Error { retryable: true, retry_after_ms: Some(1000) };
    let mut waits = Vec::new();
    let begun = Instant::now();
    let attempt = || std::future::ready(Err::<(), _>(asked));
    let result = policy(5, backoff).run(Deadline::after(60_000 * MS), attempt, |failed| waits.push(failed.next)).await;
    assert_eq!(result, Err(asked));
    let (last, others) = waits.split_last().unwrap();
    assert_eq!((*last, others.len()), (NextAttempt::None, 4));
    let waited = others.iter().map(|next| if let NextAttempt::After(wait) = next { *wait } else { Duration::ZERO });
    let waited: Vec<_> = waited.collect();
    assert!(waited.iter().all(|wait| (1000 * MS..=1100 * MS).contains(wait)), "{waited:?}");
    // Tokio's clock counts in milliseconds and rounds each sleep up.
    let (slept, sum) = (begun.elapsed(), waited.iter().sum::<Duration>());
    assert!(sum <= slept && slept <= sum + 8 * MS, "{slept:?} for {sum:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_not_made_for_another_reason_costs_no_budget() {
    let limits = RetryBudgetLimits { share_percent: 0, reserve_per_second: 1, ..RetryBudgetLimits::default() };
    let budget = RetryBudget::new(limits).unwrap();
    let policy = RetryPolicy { attempts: 3, min_attempt_time: 50 * MS, backoff: NO_JITTER, budget: budget.clone() };
    for _ in 0..20 {
        // Too late for another attempt.
        let attempt = || std::future::ready(Err::<(), _>(BUSY));
        assert_eq!(policy.run(Deadline::after(49 * MS), attempt, |_| {}).await, Err(BUSY));
    }
    assert_eq!((0..20).filter(|_| budget.try_retry()).count(), 10, "the whole reserve is left");
}
