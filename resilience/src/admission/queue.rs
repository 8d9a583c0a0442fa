//! The queue of those that wait to be admitted, in order.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::gcra::{ExceedsBurst, Gcra};
use crate::permits::{Permit, Permits};
use crate::rate::Rate;

/// Who waits, and the rates. It decides whose turn it is; it waits for nothing itself.
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

/// One caller's place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// Whether it is a caller's turn.
pub(super) enum Turn {
    /// It is, and everything has been taken.
    Now {
        permit: Permit,
        /// When the rates alone would have let it in; `None` where there are none.
        rate_ready: Option<Instant>,
    },
    /// Only the rates are not ready, and will be then.
    At(Instant),
    /// Not before it is told.
    WhenTold,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    tokens: u64,
    told: Arc<Notify>,
}

impl Queue {
    pub(super) fn new(requests: Option<(Rate, NonZeroU64)>, tokens: Option<(Rate, NonZeroU64)>, now: Instant) -> Self {
        let bucket = |(rate, burst)| Gcra::new(rate, burst, now);
        let (requests, tokens) = (requests.map(bucket), tokens.map(bucket));
        Queue { requests, tokens, waiting: VecDeque::new(), waiting_tokens: 0, next_ticket: 0 }
    }

    /// How many wait.
    pub(super) fn queued(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a caller, who is told when to look again.
    pub(super) fn join(&mut self, tokens: u64) -> (Ticket, Arc<Notify>) {
        let (ticket, told) = (Ticket(self.next_ticket), Arc::new(Notify::new()));
        self.next_ticket += 1;
        self.waiting_tokens = self.waiting_tokens.saturating_add(tokens);
        self.waiting.push_back(Waiting { ticket, tokens, told: Arc::clone(&told) });
        (ticket, told)
    }

    /// Takes a caller out of the line, and tells who is first now.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        let place = self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket);
        if let Some(waiting) = place.ok().and_then(|place| self.waiting.remove(place)) {
            self.waiting_tokens = self.waiting_tokens.saturating_sub(waiting.tokens);
        }
        self.tell_first();
    }

    /// Something came back: the first in line may have a turn now.
    pub(super) fn tell_first(&self) {
        if let Some(first) = self.waiting.front() {
            first.told.notify_one();
        }
    }

    /// The turn of a caller in the line. With it, it leaves the line.
    pub(super) fn turn(&mut self, ticket: Ticket, tokens: u64, permits: &Permits, now: Instant) -> Turn {
        if self.waiting.front().is_none_or(|first| first.ticket != ticket) {
            return Turn::WhenTold;
        }
        match self.take(tokens, permits, now) {
            Ok(turn) => {
                if matches!(turn, Turn::Now { .. }) {
                    self.leave(ticket);
                }
                turn
            }
            Err(error) => unreachable!("it was let into the line: {error}"),
        }
    }

    /// The turn of somebody who is not in the line.
    pub(super) fn newcomers_turn(
        &mut self,
        tokens: u64,
        permits: &Permits,
        now: Instant,
    ) -> Result<Turn, ExceedsBurst> {
        self.rate_ready(tokens)?;
        if self.waiting.is_empty() { self.take(tokens, permits, now) } else { Ok(Turn::WhenTold) }
    }

    /// How long a newcomer would wait; see [`super::Load::predicted_wait`].
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

    /// Puts the estimate of a call right that was let in.
    pub(super) fn settle_tokens(&mut self, reserved: u64, used: u64, now: Instant) {
        let Some(bucket) = &mut self.tokens else { return };
        if used > reserved {
            bucket.charge(used - reserved, now);
        } else {
            bucket.refund(reserved - used);
        }
    }

    fn take(&mut self, tokens: u64, permits: &Permits, now: Instant) -> Result<Turn, ExceedsBurst> {
        let rate_ready = self.rate_ready(tokens)?;
        if let Some(ready_at) = rate_ready.filter(|ready_at| *ready_at > now) {
            return Ok(Turn::At(ready_at));
        }
        let Some(permit) = permits.try_take() else { return Ok(Turn::WhenTold) };
        for (bucket, cost) in [(&mut self.requests, 1), (&mut self.tokens, tokens)] {
            if let Some(bucket) = bucket {
                bucket.charge(cost, now);
            }
        }
        Ok(Turn::Now { permit, rate_ready })
    }

    /// When the rates have what is asked for; `None` where there are none.
    fn rate_ready(&self, tokens: u64) -> Result<Option<Instant>, ExceedsBurst> {
        let requests = self.requests.as_ref().map(|bucket| bucket.ready_at(1)).transpose()?;
        let tokens = self.tokens.as_ref().map(|bucket| bucket.ready_at(tokens)).transpose()?;
        Ok(requests.max(tokens))
    }
}
