//! The loop of attempts: which failure gets another attempt, and when.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::backoff::Backoff;
use crate::deadline::Deadline;
use crate::retry_budget::RetryBudget;

/// What a failed attempt says about another one.
pub trait Retryable {
    /// Whether another attempt may succeed, at once or soon.
    fn is_retryable(&self) -> bool;

    /// How long the service asks to be left alone, if it does.
    fn retry_after(&self) -> Option<Duration>;
}

/// Makes attempts until one succeeds, or fails in a way that another would not mend, or no other may be made.
///
/// It should be the only layer that retries: layers multiply. Between two attempts it holds nothing, so what an attempt
/// needs (a permit, a connection) belongs inside the attempt, and is waited for again.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// use resilience::{Backoff, Deadline, RetryBudget, RetryBudgetLimits, RetryPolicy, Retryable};
///
/// #[derive(Debug)]
/// struct Busy;
/// impl Retryable for Busy {
///     fn is_retryable(&self) -> bool { true }
///     fn retry_after(&self) -> Option<Duration> { None }
/// }
///
/// let policy = RetryPolicy {
///     attempts: 3,
///     min_attempt_time: Duration::from_millis(50),
///     backoff: Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(8) },
///     budget: RetryBudget::new(RetryBudgetLimits::default()).unwrap(),
/// };
/// let mut made = 0;
/// let attempt = || {
///     made += 1;
///     std::future::ready(if made < 3 { Err(Busy) } else { Ok("answer") })
/// };
/// let done = policy.run(Deadline::after(Duration::from_secs(5)), attempt, |_failed| {}).await;
/// assert_eq!(done.unwrap(), "answer");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Most attempts of one call, including the first.
    pub attempts: u32,
    /// How much of the deadline must be left for another attempt, after the wait before it.
    pub min_attempt_time: Duration,
    /// How long to wait before another attempt.
    pub backoff: Backoff,
    /// The retries of all calls together: a clone of the policy shares it.
    pub budget: RetryBudget,
}

/// An attempt that failed, for logs and metrics.
#[derive(Debug)]
pub struct FailedAttempt<'a, E> {
    /// Which attempt of the call it was, from 1.
    pub number: u32,
    /// Why it failed.
    pub error: &'a E,
    /// How long it took.
    pub took: Duration,
    /// What comes next.
    pub next: NextAttempt,
}

/// What comes after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// Another one, after this wait.
    After(Duration),
    /// None: it would not help, would be one too many, or would be too late for the deadline.
    None,
    /// None: the budget has no retry left.
    NoBudget,
}

impl RetryPolicy {
    /// Makes the attempts of one call, and reports each that fails to `failed`. The deadline is only looked at between
    /// attempts: to bound the whole, run it under [`Deadline::timeout`].
    ///
    /// # Errors
    /// That of the last attempt.
    pub async fn run<T, E: Retryable, A: Future<Output = Result<T, E>>>(
        &self,
        deadline: Deadline,
        mut attempt: impl FnMut() -> A,
        mut failed: impl FnMut(&FailedAttempt<'_, E>),
    ) -> Result<T, E> {
        self.budget.note_call();
        for number in 1.. {
            let begun = Instant::now();
            let error = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let next = self.next_attempt(number, &error, deadline);
            failed(&FailedAttempt { number, error: &error, took: begun.elapsed(), next });
            let NextAttempt::After(wait) = next else { return Err(error) };
            drop(error);
            sleep(wait).await;
        }
        unreachable!("the last attempt returns")
    }

    fn next_attempt(&self, made: u32, error: &impl Retryable, deadline: Deadline) -> NextAttempt {
        if !error.is_retryable() || made >= self.attempts {
            return NextAttempt::None;
        }
        let wait = self.backoff.delay(made - 1, error.retry_after(), &mut fastrand::Rng::new());
        if deadline.remaining() < wait.saturating_add(self.min_attempt_time) {
            return NextAttempt::None;
        }
        // Asked last, because asking spends it.
        if self.budget.try_retry() { NextAttempt::After(wait) } else { NextAttempt::NoBudget }
    }
}
