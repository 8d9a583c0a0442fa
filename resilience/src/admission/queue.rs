//! The callers that wait to be admitted, in order, and the rates.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::gcra::{ExceedsBurst, Gcra};
use crate::permits::{Permit, Permits};
use crate::rate::Rate;

/// The waiting callers and the rates. It decides who is admitted and never waits itself.
#[derive(Debug)]
pub(super) struct Queue {
    requests: Option<Gcra>,
    tokens: Option<Gcra>,
    /// In the order of their tickets.
    waiting: VecDeque<Waiting>,
    /// The sum of their tokens.
    waiting_tokens: u64,
    next_ticket: u64,
}

/// A caller's place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// Whether a caller can be admitted.
pub(super) enum Decision {
    /// Yes, and everything has been taken.
    Admit {
        permit: Permit,
        /// When the rates alone would have allowed it; `None` without rates.
        rate_ready: Option<Instant>,
    },
    /// Not before this time, when the rates will allow it.
    RetryAt(Instant),
    /// Not before it is woken.
    WaitUntilWoken,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    tokens: u64,
    wake: Arc<Notify>,
}

impl Queue {
    pub(super) fn new(requests: Option<(Rate, NonZeroU64)>, tokens: Option<(Rate, NonZeroU64)>, now: Instant) -> Self {
        let bucket = |(rate, burst)| Gcra::new(rate, burst, now);
        let (requests, tokens) = (requests.map(bucket), tokens.map(bucket));
        Queue { requests, tokens, waiting: VecDeque::new(), waiting_tokens: 0, next_ticket: 0 }
    }

    /// How many callers wait.
    pub(super) fn queued(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a caller, which is woken when it should try again.
    pub(super) fn join(&mut self, tokens: u64) -> (Ticket, Arc<Notify>) {
        let (ticket, wake) = (Ticket(self.next_ticket), Arc::new(Notify::new()));
        self.next_ticket += 1;
        self.waiting_tokens = self.waiting_tokens.saturating_add(tokens);
        self.waiting.push_back(Waiting { ticket, tokens, wake: Arc::clone(&wake) });
        (ticket, wake)
    }

    /// Removes a caller and wakes the one that is first now.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        let place = self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket);
        if let Some(waiting) = place.ok().and_then(|place| self.waiting.remove(place)) {
            self.waiting_tokens = self.waiting_tokens.saturating_sub(waiting.tokens);
        }
        self.wake_first();
    }

    /// Wakes the first caller, which may now be admitted.
    pub(super) fn wake_first(&self) {
        if let Some(first) = self.waiting.front() {
            first.wake.notify_one();
        }
    }

    /// Admits a queued caller if it is first and everything is available; it then leaves the queue.
    pub(super) fn try_admit(&mut self, ticket: Ticket, tokens: u64, permits: &Permits, now: Instant) -> Decision {
        if self.waiting.front().is_none_or(|first| first.ticket != ticket) {
            return Decision::WaitUntilWoken;
        }
        match self.take(tokens, permits, now) {
            Ok(decision) => {
                if matches!(decision, Decision::Admit { .. }) {
                    self.leave(ticket);
                }
                decision
            }
            Err(error) => unreachable!("checked before it was queued: {error}"),
        }
    }

    /// Admits a newcomer if the queue is empty and everything is available.
    pub(super) fn try_admit_newcomer(
        &mut self,
        tokens: u64,
        permits: &Permits,
        now: Instant,
    ) -> Result<Decision, ExceedsBurst> {
        self.rate_ready(tokens)?;
        if self.waiting.is_empty() { self.take(tokens, permits, now) } else { Ok(Decision::WaitUntilWoken) }
    }

    /// How long a newcomer would wait: see [`super::Load::predicted_wait`].
    pub(super) fn predict(&self, tokens: u64, permits: &Permits, now: Instant) -> Duration {
        let ahead = self.waiting.len();
        let requests = self.requests.as_ref().map(|bucket| bucket.ready_behind(ahead as u64, 1, now));
        let tokens = self.tokens.as_ref().map(|bucket| bucket.ready_behind(self.waiting_tokens, tokens, now));
        let rates = requests.max(tokens).map_or(Duration::ZERO, |ready_at| ready_at - now);

        let free = permits.limit() - permits.held();
        let departures = (ahead + 1).saturating_sub(free) as f64;
        let hold = permits.mean_hold().unwrap_or_default();
        rates.max(hold.mul_f64((departures + departures.sqrt()) / permits.limit() as f64))
    }

    /// Corrects the estimate of an admitted call.
    pub(super) fn settle_tokens(&mut self, reserved: u64, used: u64, now: Instant) {
        let Some(bucket) = &mut self.tokens else { return };
        if used > reserved {
            bucket.charge(used - reserved, now);
        } else {
            bucket.refund(reserved - used);
        }
    }

    fn take(&mut self, tokens: u64, permits: &Permits, now: Instant) -> Result<Decision, ExceedsBurst> {
        let rate_ready = self.rate_ready(tokens)?;
        if let Some(ready_at) = rate_ready.filter(|ready_at| *ready_at > now) {
            return Ok(Decision::RetryAt(ready_at));
        }
        let Some(permit) = permits.try_take() else { return Ok(Decision::WaitUntilWoken) };
        for (bucket, cost) in [(&mut self.requests, 1), (&mut self.tokens, tokens)] {
            if let Some(bucket) = bucket {
                bucket.charge(cost, now);
            }
        }
        Ok(Decision::Admit { permit, rate_ready })
    }

    /// When the rates allow a call with these tokens; `None` without rates.
    fn rate_ready(&self, tokens: u64) -> Result<Option<Instant>, ExceedsBurst> {
        let requests = self.requests.as_ref().map(|bucket| bucket.ready_at(1)).transpose()?;
        let tokens = self.tokens.as_ref().map(|bucket| bucket.ready_at(tokens)).transpose()?;
        Ok(requests.max(tokens))
    }
}
