//! Admission: one bounded queue for a permit and for the rate limits, which are taken together.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

mod class;
mod permit;
mod queue;
mod shared;
mod waiter;

pub use permit::{AdmissionPermit, QueueWait};
use queue::{ClassId, Decision, Queue};
use shared::Shared;
use waiter::Waiter;

use crate::gcra::ExceedsBurst;
use crate::permits::Permits;
use crate::rate::Rate;

/// Admits callers: each needs a permit and, where there are rate limits, one request and its tokens. In front is a
/// queue, bounded in length and in time, first come, first served.
///
/// *Taken together*: the first in the queue takes the permit, the request and the tokens at the same instant, once all
/// of them are available. So nobody holds a permit while waiting for the rate, and nobody spends the rate and then gets
/// no permit. Two limits in a row, in either order, have one of these faults.
///
/// *By class*: callers of one kind, such as those of one model, can have a rate of their own as well
/// ([`Admission::with_classes`]). While the first of them waits for that rate, callers of other classes are admitted
/// before it: it keeps neither a permit nor its place in front of them. Among those that wait for the same, it is first
/// come, first served.
///
/// *Bounded*: under overload an unbounded queue serves nobody. Every caller waits until it has given up, and the work
/// is then done for clients that have disconnected. This queue rejects at once when it is full or when the predicted
/// wait is longer than the queue timeout, and says when to come back.
///
/// The queue timeout covers the wait and nothing else. A `timeout` around both the wait and the call would end healthy
/// calls at the queue's limit.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::num::NonZeroUsize;
/// use std::time::Duration;
/// use resilience::{Admission, AdmissionError, AdmissionLimits};
///
/// let admission = Admission::new(AdmissionLimits {
///     max_in_flight: NonZeroUsize::MIN,
///     max_queued: 0,
///     timeout: Duration::from_secs(5),
///     requests: None,
///     tokens: None,
/// });
/// let admitted = admission.admit(0).await.expect("a permit is free");
/// assert!(matches!(admission.admit(0).await, Err(AdmissionError::QueueFull { .. })));
/// drop(admitted); // at the end of the call, or of its stream
/// assert!(admission.admit(0).await.is_ok());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Admission {
    shared: Arc<Shared>,
}

/// The limits of an admission.
#[derive(Debug, Clone, Copy)]
pub struct AdmissionLimits {
    /// Permits: callers admitted at the same time.
    pub max_in_flight: NonZeroUsize,
    /// Callers that may wait. With 0 there is no queue: a caller that cannot be admitted at once is rejected.
    pub max_queued: usize,
    /// The queue timeout: how long one of them may wait.
    pub timeout: Duration,
    /// The rate of callers, and the burst after a pause.
    pub requests: Option<(Rate, NonZeroU64)>,
    /// The rate of their tokens, and the burst, which is also the most that one caller can ask for.
    pub tokens: Option<(Rate, NonZeroU64)>,
}

/// Why a caller was not admitted. It has taken no permit and none of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// The queue is full. Returned at once.
    #[error("the queue is full")]
    QueueFull {
        /// When to come back: see [`Load::predicted_wait`]. The queue timeout where there is nothing to predict it
        /// from.
        retry_after: Duration,
    },
    /// The predicted wait is longer than the queue timeout. Returned at once.
    #[error("the predicted wait is {predicted:?}, longer than the queue timeout")]
    WaitTooLong {
        /// The predicted wait. It is also when to come back: by then the present queue has been served.
        predicted: Duration,
    },
    /// Not admitted within the queue timeout.
    #[error("timed out after {waited:?} in the queue")]
    QueueTimeout {
        /// The queue timeout.
        waited: Duration,
    },
    /// More tokens than the burst, so never admitted.
    #[error(transparent)]
    ExceedsBurst(#[from] ExceedsBurst),
}

/// How busy an admission is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Permits in use.
    pub held: usize,
    /// All permits.
    pub limit: usize,
    /// Callers in the queue.
    pub queued: usize,
    /// Callers that may wait in the queue.
    pub max_queued: usize,
    /// How long one more caller, which asks for no tokens and has no rate of its own, would have to wait.
    ///
    /// Behind those that are admitted before it: of other classes, as many as their own rates allow until then.
    ///
    /// The part for the rates is exact. The part for permits is Little's law: `limit` permits are held for `hold`
    /// each (the recent mean), so one comes back every `hold / limit`, and the n-th from now after `n + √n` of these
    /// intervals: the mean plus the standard deviation of independent departures. Zero while no permit has come back
    /// yet.
    pub predicted_wait: Duration,
    /// The queue timeout.
    pub timeout: Duration,
}

impl Admission {
    /// An admission with its own permits and rates. Clones share them.
    #[must_use]
    pub fn new(limits: AdmissionLimits) -> Self {
        Self::with_classes(limits, [])
    }

    /// The same, with a rate and a burst for each of these classes of callers, on top of those of all callers.
    #[must_use]
    pub fn with_classes(
        limits: AdmissionLimits,
        classes: impl IntoIterator<Item = (Arc<str>, (Rate, NonZeroU64))>,
    ) -> Self {
        let AdmissionLimits { max_in_flight, max_queued, timeout, requests, tokens } = limits;
        let (names, rates): (Vec<_>, Vec<_>) = classes.into_iter().unzip();
        let queue = Queue::new(requests, tokens, rates.into_iter(), Instant::now());
        Admission { shared: Arc::new(Shared::new(Permits::new(max_in_flight), max_queued, timeout, names, queue)) }
    }

    /// Waits to be admitted with `tokens`: those of the prompt and of the longest answer. It is an estimate, which
    /// [`AdmissionPermit::settle`] corrects, and counts only where tokens are limited. Dropping the wait leaves the
    /// queue and has taken nothing.
    ///
    /// # Errors
    /// [`AdmissionError`]: at once, or after the queue timeout.
    pub async fn admit(&self, tokens: u64) -> Result<AdmissionPermit, AdmissionError> {
        self.admit_class(None, tokens).await
    }

    /// The same for a caller of the class of this name, if there is one. Without a class, or with one that is not listed,
    /// it has no rate of its own.
    ///
    /// # Errors
    /// Those of [`Admission::admit`].
    pub async fn admit_class(&self, class: Option<&str>, tokens: u64) -> Result<AdmissionPermit, AdmissionError> {
        let (asked, class) = (Instant::now(), self.shared.class(class));
        let waiter = match self.enter(class, tokens, asked)? {
            Entered::Admitted(admitted) => return Ok(admitted),
            Entered::Queued(waiter) => waiter,
        };
        // A timeout beyond what the clock can represent is none.
        let Some(until) = asked.checked_add(self.shared.timeout) else {
            return Ok(waiter.admitted(tokens, asked).await);
        };
        let waited = self.shared.timeout;
        timeout_at(until, waiter.admitted(tokens, asked)).await.map_err(|_| AdmissionError::QueueTimeout { waited })
    }

    /// How busy it is now.
    #[must_use]
    pub fn load(&self) -> Load {
        let Shared { permits, max_queued, timeout, .. } = &*self.shared;
        let queue = self.shared.lock();
        Load {
            held: permits.held(),
            limit: permits.limit(),
            queued: queue.queued(),
            max_queued: *max_queued,
            predicted_wait: queue.predict(ClassId::NO_RATE, 0, permits, Instant::now()),
            timeout: *timeout,
        }
    }

    /// The permits, for metrics.
    #[must_use]
    pub fn permits(&self) -> &Permits {
        &self.shared.permits
    }

    /// Admits the caller, queues it or rejects it, without waiting.
    fn enter(&self, class: ClassId, tokens: u64, asked: Instant) -> Result<Entered, AdmissionError> {
        let Shared { permits, max_queued, timeout, .. } = &*self.shared;
        let mut queue = self.shared.lock();
        // This overtakes nobody but callers that have to wait for the rate of their class.
        if let Decision::Admit { permit, rate_ready } = queue.try_admit_newcomer(class, tokens, permits, asked)? {
            let waited = QueueWait::between(asked, rate_ready, asked);
            return Ok(Entered::Admitted(AdmissionPermit::new(Arc::clone(&self.shared), permit, tokens, waited)));
        }
        let predicted = queue.predict(class, tokens, permits, asked);
        if queue.queued() >= *max_queued {
            let retry_after = if predicted.is_zero() { *timeout } else { predicted };
            return Err(AdmissionError::QueueFull { retry_after });
        }
        if predicted > *timeout {
            return Err(AdmissionError::WaitTooLong { predicted });
        }
        let (ticket, wake) = queue.join(class, tokens);
        Ok(Entered::Queued(Waiter::new(Arc::clone(&self.shared), ticket, wake)))
    }
}

enum Entered {
    Admitted(AdmissionPermit),
    Queued(Waiter),
}

impl Load {
    /// How much of the queue is in use, from 0, with 1 for full: by length or by time, whichever is more. Without a
    /// queue it is 1 as soon as no permit is free.
    #[must_use]
    pub fn queue_utilization(self) -> f64 {
        let places = match self.max_queued {
            0 if self.held < self.limit => 0.0,
            0 => 1.0,
            max => self.queued as f64 / max as f64,
        };
        // An empty queue makes nobody wait.
        let time = if self.queued == 0 { 0.0 } else { self.predicted_wait.div_duration_f64(self.timeout) };
        places.max(time)
    }
}

#[cfg(test)]
mod class_tests;
#[cfg(test)]
mod tests;
