//! The queue of those that wait to be admitted, in order.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::permits::{Permit, Permits};
use crate::rate_limit::{Gcra, OverBurst, Rate};

/// What a caller needs to be let in, besides a permit and one request of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ask {
    /// Tokens of the prompt and of the longest answer: an estimate, which [`super::Admitted::settle`]
    /// puts right. They count only where there is a limit on tokens.
    pub tokens: u64,
    /// Which of the two lines it waits in.
    pub priority: Priority,
}

/// Who goes first. While somebody interactive waits, nobody of the batch is let in: the batch has
/// what is left over, and the queue timeout where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Priority {
    /// Somebody waits for the answer.
    #[default]
    Interactive,
    /// Nobody does.
    Batch,
}

/// Who waits, and the rates. It decides whose turn it is; it waits for nothing itself.
#[derive(Debug)]
pub(super) struct Line {
    requests: Option<Gcra>,
    tokens: Option<Gcra>,
    interactive: Lane,
    batch: Lane,
    next_number: u64,
}

/// One caller's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    priority: Priority,
    number: u64,
}

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

#[derive(Debug, Default)]
struct Lane {
    /// In the order of their numbers.
    waiting: VecDeque<Waiting>,
    /// The sum of their tokens.
    tokens: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    tokens: u64,
    told: Arc<Notify>,
}

impl Line {
    pub(super) fn new(requests: Option<(Rate, NonZeroU64)>, tokens: Option<(Rate, NonZeroU64)>, now: Instant) -> Self {
        let bucket = |(rate, burst)| Gcra::new(rate, burst, now);
        let (interactive, batch) = (Lane::default(), Lane::default());
        Line { requests: requests.map(bucket), tokens: tokens.map(bucket), interactive, batch, next_number: 0 }
    }

    /// How many wait.
    pub(super) fn queued(&self) -> usize {
        self.interactive.waiting.len() + self.batch.waiting.len()
    }

    /// Adds a caller, who is told when to look again.
    pub(super) fn join(&mut self, ask: Ask) -> (Ticket, Arc<Notify>) {
        let (number, told) = (self.next_number, Arc::new(Notify::new()));
        self.next_number += 1;
        self.lane(ask.priority).push(Waiting { number, tokens: ask.tokens, told: Arc::clone(&told) });
        (Ticket { priority: ask.priority, number }, told)
    }

    /// Takes a caller out of the line, and tells who is first now.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.lane(ticket.priority).remove(ticket.number);
        self.tell_first();
    }

    /// Something came back: the first in line may have a turn now.
    pub(super) fn tell_first(&self) {
        let first = self.interactive.waiting.front().or(self.batch.waiting.front());
        if let Some(first) = first {
            first.told.notify_one();
        }
    }

    /// The turn of a caller in the line. With it, it leaves the line.
    pub(super) fn turn(&mut self, ticket: Ticket, ask: Ask, permits: &Permits, now: Instant) -> Turn {
        let first = self.lane(ticket.priority).waiting.front().map(|first| first.number);
        if first != Some(ticket.number) || self.ahead_of_lane(ticket.priority) > 0 {
            return Turn::WhenTold;
        }
        match self.take(ask, permits, now) {
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
    pub(super) fn newcomers_turn(&mut self, ask: Ask, permits: &Permits, now: Instant) -> Result<Turn, OverBurst> {
        self.rate_ready(ask)?;
        let (ahead, _) = self.ahead(ask.priority);
        if ahead > 0 { Ok(Turn::WhenTold) } else { self.take(ask, permits, now) }
    }

    /// How long a newcomer would wait; see [`super::Load::predicted_wait`].
    pub(super) fn predict(&self, ask: Ask, permits: &Permits, now: Instant) -> Duration {
        let (ahead, tokens_ahead) = self.ahead(ask.priority);
        let requests = self.requests.as_ref().map(|bucket| bucket.ready_behind(ahead as u64, 1, now));
        let tokens = self.tokens.as_ref().map(|bucket| bucket.ready_behind(tokens_ahead, ask.tokens, now));
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

    fn take(&mut self, ask: Ask, permits: &Permits, now: Instant) -> Result<Turn, OverBurst> {
        let rate_ready = self.rate_ready(ask)?;
        if let Some(ready_at) = rate_ready.filter(|ready_at| *ready_at > now) {
            return Ok(Turn::At(ready_at));
        }
        let Some(permit) = permits.try_take() else { return Ok(Turn::WhenTold) };
        for (bucket, cost) in [(&mut self.requests, 1), (&mut self.tokens, ask.tokens)] {
            if let Some(bucket) = bucket {
                bucket.charge(cost, now);
            }
        }
        Ok(Turn::Now { permit, rate_ready })
    }

    /// When the rates have what is asked for; `None` where there are none.
    fn rate_ready(&self, ask: Ask) -> Result<Option<Instant>, OverBurst> {
        let requests = self.requests.as_ref().map(|bucket| bucket.ready_at(1)).transpose()?;
        let tokens = self.tokens.as_ref().map(|bucket| bucket.ready_at(ask.tokens)).transpose()?;
        Ok(requests.max(tokens))
    }

    /// Who goes before a newcomer of this priority: how many, and their tokens.
    fn ahead(&self, priority: Priority) -> (usize, u64) {
        let Lane { waiting, tokens } = &self.interactive;
        match priority {
            Priority::Interactive => (waiting.len(), *tokens),
            Priority::Batch => (waiting.len() + self.batch.waiting.len(), tokens.saturating_add(self.batch.tokens)),
        }
    }

    /// Who goes before all of this priority.
    fn ahead_of_lane(&self, priority: Priority) -> usize {
        match priority {
            Priority::Interactive => 0,
            Priority::Batch => self.interactive.waiting.len(),
        }
    }

    fn lane(&mut self, priority: Priority) -> &mut Lane {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Batch => &mut self.batch,
        }
    }
}

impl Lane {
    fn push(&mut self, waiting: Waiting) {
        self.tokens = self.tokens.saturating_add(waiting.tokens);
        self.waiting.push_back(waiting);
    }

    fn remove(&mut self, number: u64) {
        let place = self.waiting.binary_search_by_key(&number, |waiting| waiting.number);
        if let Some(waiting) = place.ok().and_then(|place| self.waiting.remove(place)) {
            self.tokens = self.tokens.saturating_sub(waiting.tokens);
        }
    }
}
