//! A bounded, timed, first-come-first-served queue for a permit and a share of the rates, jointly.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

mod permit;
mod queue;
mod shared;
mod waiter;

pub use permit::{AdmissionPermit, QueueWait};
use queue::{Queue, Turn};
use shared::Shared;
use waiter::Waiter;

use crate::gcra::ExceedsBurst;
use crate::permits::Permits;
use crate::rate::Rate;

/// Lets callers in, one line for all that they need: a permit to run, and of the rate limits, if
/// there are any, a request and its tokens. Before it stands a queue that is bounded in length and in
/// time, first come first served.
///
/// *Joint*: everything is taken in the same instant, by the first in line and only when all of it is
/// there. So nobody holds a permit while waiting for the rate, and nobody spends the rate and then
/// gets no permit: each of the two orders, one before the other, has one of these faults.
///
/// *Bounded*: a queue without bounds answers nobody under overload. Everyone waits until they have
/// given up, and the work is then done for those who left. This one says no at once when it is full,
/// or when the wait that it predicts is longer than a caller may wait, and says when to come back.
///
/// The queue timeout covers the wait and nothing else. Whoever puts the call itself under it, as a
/// `timeout` around both, cuts healthy calls at the queue's limit.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::num::NonZeroUsize;
/// use std::time::Duration;
/// use resilience::{Admission, AdmissionLimits, AdmissionError};
///
/// let admission = Admission::new(AdmissionLimits {
///     max_in_flight: NonZeroUsize::MIN,
///     max_queued: 0,
///     timeout: Duration::from_secs(5),
///     requests: None,
///     tokens: None,
/// });
/// let admitted = admission.admit(1).await.expect("nobody is there yet");
/// assert!(matches!(admission.admit(1).await, Err(AdmissionError::QueueFull { .. })));
/// drop(admitted); // at the end of the call, or of its stream
/// assert!(admission.admit(1).await.is_ok());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Admission {
    shared: Arc<Shared>,
}

/// What an admission lets through.
#[derive(Debug, Clone, Copy)]
pub struct AdmissionLimits {
    /// Callers at once.
    pub max_in_flight: NonZeroUsize,
    /// Most callers that may wait. None at all with 0: who cannot go at once is rejected.
    pub max_queued: usize,
    /// Longest that one of them may wait.
    pub timeout: Duration,
    /// The rate of callers, and how many may come at once after a pause.
    pub requests: Option<(Rate, NonZeroU64)>,
    /// The rate of their tokens, and how many may come at once; one caller can ask for no more.
    pub tokens: Option<(Rate, NonZeroU64)>,
}

/// Why a caller was not let in. It holds nothing and has cost neither a permit nor any of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// There was no place in the queue. Known at once.
    #[error("the queue is full")]
    QueueFull {
        /// When to come back: see [`Load::predicted_wait`]. Where nothing is known to predict it from,
        /// the queue timeout.
        retry_after: Duration,
    },
    /// The wait would be longer than the queue timeout. Known at once.
    #[error("the wait would be {predicted:?}, longer than the queue timeout")]
    WaitTooLong {
        /// How long; and when to come back, because by then the queue that stands now is served.
        predicted: Duration,
    },
    /// No turn came within the queue timeout.
    #[error("no turn came within {waited:?}")]
    QueueTimeout {
        /// The queue timeout.
        waited: Duration,
    },
    /// More tokens than can ever be let in at once.
    #[error(transparent)]
    ExceedsBurst(#[from] ExceedsBurst),
}

/// How busy an admission is, read without waiting for anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Permits held.
    pub held: usize,
    /// Permits there are.
    pub limit: usize,
    /// Callers in the queue.
    pub queued: usize,
    /// Places in the queue.
    pub max_queued: usize,
    /// How long one more caller, with no tokens to speak of, would have to wait.
    ///
    /// The rates' part is exact. The permits' part is Little's law: with `limit` permits held for `hold`
    /// each, as they were lately, one comes back every `hold / limit`, and the n-th from now after
    /// `n + √n` of these, the standard deviation of independent departures added. Zero while nothing is
    /// known of `hold`.
    pub predicted_wait: Duration,
    /// Longest that one may wait.
    pub timeout: Duration,
}

impl Admission {
    /// An admission with permits and rates of its own. A clone is another handle on the same ones.
    #[must_use]
    pub fn new(limits: AdmissionLimits) -> Self {
        let AdmissionLimits { max_in_flight, max_queued, timeout, requests, tokens } = limits;
        let queue = Queue::new(requests, tokens, Instant::now());
        Admission { shared: Arc::new(Shared::new(Permits::new(max_in_flight), max_queued, timeout, queue)) }
    }

    /// Waits to be let in with so many `tokens`, those of the prompt and of the longest answer: an estimate, which
    /// [`AdmissionPermit::settle`] puts right. They count only where there is a limit on tokens. Dropping the wait gives the place in the queue back and has taken nothing.
    ///
    /// # Errors
    /// [`AdmissionError`], which of them says when: at once, or after the queue timeout.
    pub async fn admit(&self, tokens: u64) -> Result<AdmissionPermit, AdmissionError> {
        let asked = Instant::now();
        let waiter = match self.enter(tokens, asked)? {
            Entered::Admitted(admitted) => return Ok(admitted),
            Entered::Queued(waiter) => waiter,
        };
        // No clock counts as far as some timeouts go; such a wait has no end but its turn.
        let Some(until) = asked.checked_add(self.shared.timeout) else { return Ok(waiter.turn(tokens, asked).await) };
        let waited = self.shared.timeout;
        timeout_at(until, waiter.turn(tokens, asked)).await.map_err(|_| AdmissionError::QueueTimeout { waited })
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let Shared { permits, max_queued, timeout, .. } = &*self.shared;
        let queue = self.shared.lock();
        Load {
            held: permits.held(),
            limit: permits.limit(),
            queued: queue.queued(),
            max_queued: *max_queued,
            predicted_wait: queue.predict(0, permits, Instant::now()),
            timeout: *timeout,
        }
    }

    /// The permits, for those who count them.
    #[must_use]
    pub fn permits(&self) -> &Permits {
        &self.shared.permits
    }

    /// Lets the caller in, or gives it a place in the queue, or neither: what can be said at once.
    fn enter(&self, tokens: u64, asked: Instant) -> Result<Entered, AdmissionError> {
        let Shared { permits, max_queued, timeout, .. } = &*self.shared;
        let mut queue = self.shared.lock();
        // This overtakes nobody: there is a turn for a newcomer only where nobody waits before it.
        if let Turn::Now { permit, rate_ready } = queue.newcomers_turn(tokens, permits, asked)? {
            let waited = QueueWait::between(asked, rate_ready, asked);
            return Ok(Entered::Admitted(AdmissionPermit::new(Arc::clone(&self.shared), permit, tokens, waited)));
        }
        let predicted = queue.predict(tokens, permits, asked);
        if queue.queued() >= *max_queued {
            let retry_after = if predicted.is_zero() { *timeout } else { predicted };
            return Err(AdmissionError::QueueFull { retry_after });
        }
        if predicted > *timeout {
            return Err(AdmissionError::WaitTooLong { predicted });
        }
        let (ticket, told) = queue.join(tokens);
        Ok(Entered::Queued(Waiter::new(Arc::clone(&self.shared), ticket, told)))
    }
}

enum Entered {
    Admitted(AdmissionPermit),
    Queued(Waiter),
}

impl Load {
    /// How much of the queue is in use, 0 to 1 and more: of its places or of its time, whichever is
    /// more. Where there are no places at all, they are all in use as soon as no permit is free.
    #[must_use]
    pub fn queue_utilization(self) -> f64 {
        let places = match self.max_queued {
            0 if self.held < self.limit => 0.0,
            0 => 1.0,
            max => self.queued as f64 / max as f64,
        };
        // Without anybody in the queue its time is nobody's.
        let time = if self.queued == 0 { 0.0 } else { self.predicted_wait.div_duration_f64(self.timeout) };
        places.max(time)
    }
}

#[cfg(test)]
mod tests;
