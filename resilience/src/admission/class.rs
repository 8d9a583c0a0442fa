//! The waiting callers of one class, in order, and the rate of their own.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::gcra::Gcra;

/// The waiting callers of one class.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// Of this class alone; `None` for callers without a rate of their own.
    rate: Option<Gcra>,
    /// In the order of their arrival.
    waiting: VecDeque<Waiting>,
    /// The sum of their tokens.
    waiting_tokens: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    tokens: u64,
    wake: Arc<Notify>,
}

impl Class {
    /// A class with this rate of its own.
    pub(super) fn with_rate(rate: Gcra) -> Self {
        Class { rate: Some(rate), ..Class::default() }
    }

    /// How many of its callers wait.
    pub(super) fn queued(&self) -> usize {
        self.waiting.len()
    }

    /// The number of its first waiting caller.
    pub(super) fn first(&self) -> Option<u64> {
        self.waiting.front().map(|first| first.number)
    }

    /// Wakes its first caller, which may now be admitted.
    pub(super) fn wake_first(&self) {
        if let Some(first) = self.waiting.front() {
            first.wake.notify_one();
        }
    }

    /// Adds a caller with this number, which is larger than those of all others.
    pub(super) fn join(&mut self, number: u64, tokens: u64, wake: Arc<Notify>) {
        self.waiting_tokens = self.waiting_tokens.saturating_add(tokens);
        self.waiting.push_back(Waiting { number, tokens, wake });
    }

    /// Removes the caller with this number.
    pub(super) fn leave(&mut self, number: u64) {
        let place = self.waiting.binary_search_by_key(&number, |waiting| waiting.number);
        if let Some(waiting) = place.ok().and_then(|place| self.waiting.remove(place)) {
            self.waiting_tokens = self.waiting_tokens.saturating_sub(waiting.tokens);
        }
    }

    /// When its own rate allows one more call; `None` without a rate.
    pub(super) fn ready_at(&self) -> Option<Instant> {
        let one = |rate: &Gcra| rate.ready_at(1).unwrap_or_else(|error| unreachable!("a burst is at least 1: {error}"));
        self.rate.as_ref().map(one)
    }

    /// Whether its own rate allows a call now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.ready_at().is_none_or(|ready_at| ready_at <= now)
    }

    /// When its own rate allows a call behind all that wait; `now` at the earliest.
    pub(super) fn ready_behind(&self, now: Instant) -> Instant {
        self.rate.as_ref().map_or(now, |rate| rate.ready_behind(self.waiting.len() as u64, 1, now))
    }

    /// Takes one call of its own rate.
    pub(super) fn charge(&mut self, now: Instant) {
        if let Some(rate) = &mut self.rate {
            rate.charge(1, now);
        }
    }

    /// How many of its waiting callers its own rate allows until `until`, and their tokens.
    pub(super) fn ready_until(&self, until: Instant, now: Instant) -> (usize, u64) {
        let allowed = self.rate.as_ref().map_or(u64::MAX, |rate| rate.units_until(until, now));
        match usize::try_from(allowed) {
            Ok(some) if some < self.waiting.len() => {
                (some, self.waiting.iter().take(some).fold(0, |sum, one| sum.saturating_add(one.tokens)))
            }
            _ => self.all(),
        }
    }

    /// How many of its callers wait, and their tokens.
    pub(super) fn all(&self) -> (usize, u64) {
        (self.waiting.len(), self.waiting_tokens)
    }
}
