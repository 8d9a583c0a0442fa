//! The callers that wait to be admitted, in order, and the rates.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::class::Class;
use crate::gcra::{ExceedsBurst, Gcra};
use crate::permits::{Permit, Permits};
use crate::rate::Rate;

/// The waiting callers and the rates. It decides who is admitted and never waits itself.
#[derive(Debug)]
pub(super) struct Queue {
    requests: Option<Gcra>,
    tokens: Option<Gcra>,
    /// Callers without a rate of their own, and then each class with one.
    classes: Vec<Class>,
    next_number: u64,
}

/// Which class a caller belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClassId(usize);

impl ClassId {
    /// Callers without a rate of their own.
    pub(super) const NO_RATE: ClassId = ClassId(0);

    /// The class with the rate at this place.
    pub(super) fn with_rate(place: usize) -> Self {
        ClassId(place + 1)
    }
}

/// A caller's place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    class: ClassId,
    /// In the order of arrival, over all classes.
    number: u64,
}

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

impl Queue {
    pub(super) fn new(
        requests: Option<(Rate, NonZeroU64)>,
        tokens: Option<(Rate, NonZeroU64)>,
        of_classes: impl Iterator<Item = (Rate, NonZeroU64)>,
        now: Instant,
    ) -> Self {
        let bucket = |(rate, burst)| Gcra::new(rate, burst, now);
        let with_rate = of_classes.map(bucket).map(Class::with_rate);
        let classes = std::iter::once(Class::default()).chain(with_rate).collect();
        Queue { requests: requests.map(bucket), tokens: tokens.map(bucket), classes, next_number: 0 }
    }

    /// How many callers wait.
    pub(super) fn queued(&self) -> usize {
        self.classes.iter().map(Class::queued).sum()
    }

    /// Adds a caller, which is woken when it should try again.
    pub(super) fn join(&mut self, class: ClassId, tokens: u64) -> (Ticket, Arc<Notify>) {
        let (ticket, wake) = (Ticket { class, number: self.next_number }, Arc::new(Notify::new()));
        self.next_number += 1;
        self.classes[class.0].join(ticket.number, tokens, Arc::clone(&wake));
        (ticket, wake)
    }

    /// Removes a caller and wakes those that are first now.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.classes[ticket.class.0].leave(ticket.number);
        self.wake_first();
    }

    /// Wakes the first caller of each class: one of them may now be admitted.
    pub(super) fn wake_first(&self) {
        self.classes.iter().for_each(Class::wake_first);
    }

    /// Admits a queued caller if everything is available and nobody is before it; it then leaves the queue.
    pub(super) fn try_admit(&mut self, ticket: Ticket, tokens: u64, permits: &Permits, now: Instant) -> Decision {
        let is_first = self.classes[ticket.class.0].first() == Some(ticket.number);
        if !is_first || self.is_overtaking(ticket, now) {
            return Decision::WaitUntilWoken;
        }
        match self.take(ticket.class, tokens, permits, now) {
            Ok(decision) => {
                if matches!(decision, Decision::Admit { .. }) {
                    self.leave(ticket);
                }
                decision
            }
            Err(error) => unreachable!("checked before it was queued: {error}"),
        }
    }

    /// Admits a newcomer if everything is available and nobody is before it.
    pub(super) fn try_admit_newcomer(
        &mut self,
        class: ClassId,
        tokens: u64,
        permits: &Permits,
        now: Instant,
    ) -> Result<Decision, ExceedsBurst> {
        self.rate_ready(class, tokens)?;
        let newcomer = Ticket { class, number: self.next_number };
        if self.is_overtaking(newcomer, now) {
            return Ok(Decision::WaitUntilWoken);
        }
        self.take(class, tokens, permits, now)
    }

    /// How long a newcomer would wait: see [`super::Load::predicted_wait`].
    pub(super) fn predict(&self, class: ClassId, tokens: u64, permits: &Permits, now: Instant) -> Duration {
        let of_class = self.classes[class.0].ready_behind(now) - now;
        let (free, hold) = (permits.limit() - permits.held(), permits.mean_hold().unwrap_or_default());
        let for_permit = |ahead: usize| {
            let departures = (ahead + 1).saturating_sub(free) as f64;
            hold.mul_f64((departures + departures.sqrt()) / permits.limit() as f64)
        };
        // The longer it waits, the more callers of other classes may be before it, until there are no more of them.
        let mut wait = of_class;
        loop {
            let (ahead, tokens_ahead) = self.ahead(class, now + wait, now);
            let for_rates = self.wait_for_rates(ahead, tokens_ahead, tokens, now);
            let behind_them = for_rates.max(for_permit(ahead)).max(of_class);
            if behind_them <= wait {
                return wait;
            }
            wait = behind_them;
        }
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

    /// Whether the first caller of some class came before this one, and is not waiting for the rate of its class.
    fn is_overtaking(&self, ticket: Ticket, now: Instant) -> bool {
        let came_before = |class: &Class| class.first().is_some_and(|first| first < ticket.number);
        self.classes.iter().any(|class| came_before(class) && class.is_ready(now))
    }

    /// How many callers, with how many tokens, are admitted before a newcomer of `class` if that is admitted at `until`:
    /// those of its own class, and of each other class as many as the rate of that class allows until then.
    fn ahead(&self, class: ClassId, until: Instant, now: Instant) -> (usize, u64) {
        let of = |(place, other): (usize, &Class)| {
            if place == class.0 { other.all() } else { other.ready_until(until, now) }
        };
        let add = |(callers, tokens): (usize, u64), (more, their): (usize, u64)| {
            (callers + more, tokens.saturating_add(their))
        };
        self.classes.iter().enumerate().map(of).fold((0, 0), add)
    }

    /// How long a newcomer waits behind `ahead` others for the rates of all.
    fn wait_for_rates(&self, ahead: usize, tokens_ahead: u64, tokens: u64, now: Instant) -> Duration {
        let requests = self.requests.as_ref().map(|bucket| bucket.ready_behind(ahead as u64, 1, now));
        let tokens = self.tokens.as_ref().map(|bucket| bucket.ready_behind(tokens_ahead, tokens, now));
        requests.max(tokens).map_or(Duration::ZERO, |ready_at| ready_at - now)
    }

    fn take(&mut self, class: ClassId, tokens: u64, permits: &Permits, now: Instant) -> Result<Decision, ExceedsBurst> {
        let rate_ready = self.rate_ready(class, tokens)?;
        if let Some(ready_at) = rate_ready.filter(|ready_at| *ready_at > now) {
            return Ok(Decision::RetryAt(ready_at));
        }
        let Some(permit) = permits.try_take() else { return Ok(Decision::WaitUntilWoken) };
        self.classes[class.0].charge(now);
        for (bucket, cost) in [(&mut self.requests, 1), (&mut self.tokens, tokens)] {
            if let Some(bucket) = bucket {
                bucket.charge(cost, now);
            }
        }
        Ok(Decision::Admit { permit, rate_ready })
    }

    /// When the rates allow a call with these tokens; `None` without rates.
    fn rate_ready(&self, class: ClassId, tokens: u64) -> Result<Option<Instant>, ExceedsBurst> {
        let requests = self.requests.as_ref().map(|bucket| bucket.ready_at(1)).transpose()?;
        let tokens = self.tokens.as_ref().map(|bucket| bucket.ready_at(tokens)).transpose()?;
        Ok(requests.max(tokens).max(self.classes[class.0].ready_at()))
    }
}
