//! One answer in the making, from its start to its end or to the disconnect of its client.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use fastrand::Rng;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::answer_spec::Plan;
use crate::faults::Ending;
use crate::generation_slots::Slot;
use crate::ledger::{Entry, Recorder};
use crate::quota_enforcer::Place;
use crate::token_schedule::Pace;
use crate::vendor::Vendor;

/// One answer in the making. Dropped before its end, its client has left: then it ends there, or
/// with `ignore-disconnect` goes on alone.
pub(crate) struct Generation {
    vendor: Arc<Vendor>,
    /// None when it has ended.
    held: Option<Held>,
    pace: Pace,
    /// Set to `pace.due()`, always.
    sleep: Pin<Box<Sleep>>,
    arrived: Instant,
    last_token: Instant,
    cut_short: bool,
    ignore_disconnect: bool,
}

/// What a generation occupies while it is under way. The order is that of release: the ledger, the
/// last, does not say that it has ended while it still occupies something.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) slot: Slot,
    pub(crate) place: Place,
    pub(crate) entry: Entry,
}

impl Held {
    fn release(self) -> Entry {
        let Held { slot, place, entry } = self;
        drop(slot);
        drop(place);
        entry
    }
}

/// What happens next in an answer.
pub(crate) enum Step {
    /// The tokens of these numbers, from 0; at least one.
    Tokens(Range<u32>),
    /// A fault ends it.
    Ending(Ending),
}

impl Generation {
    /// Begins now, for a request that `arrived` then.
    pub(crate) fn begin(vendor: &Arc<Vendor>, held: Held, plan: &Plan, delays: Rng, arrived: Instant) -> Self {
        let now = Instant::now();
        vendor.latencies.queue.observe(now - arrived);
        let pace = Pace::begin(plan, delays, now, vendor.slots.slowdown());
        Generation {
            vendor: Arc::clone(vendor),
            held: Some(held),
            sleep: Box::pin(sleep_until(pace.due())),
            pace,
            arrived,
            last_token: now,
            cut_short: plan.cut_short,
            ignore_disconnect: plan.ignore_disconnect,
        }
    }

    /// Waits for what happens next. Not to be called once the answer [`is_over`](Self::is_over).
    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            if self.pace.ending() == Some(Ending::Hang) {
                // Nothing here wakes it again: the connection does, when its client leaves.
                return Poll::Pending;
            }
            ready!(self.sleep.as_mut().poll(cx));
            if let Some(ending) = self.pace.ending() {
                return Poll::Ready(Step::Ending(ending));
            }
            let now = Instant::now();
            let tokens = self.pace.take_due(now, self.vendor.slots.slowdown());
            self.observe(&tokens, now);
            if !self.is_over() {
                self.sleep.as_mut().reset(self.pace.due());
            }
            if !tokens.is_empty() {
                return Poll::Ready(Step::Tokens(tokens));
            }
        }
    }

    /// Whether all tokens were made.
    pub(crate) fn is_over(&self) -> bool {
        self.pace.is_over()
    }

    /// How many tokens were made.
    pub(crate) fn made(&self) -> u32 {
        self.pace.made()
    }

    /// Counts tokens that were handed to the socket.
    pub(crate) fn sent(&self, tokens: &Range<u32>) {
        self.vendor.recorder.tokens_sent(tokens.len());
    }

    /// The answer was handed over whole.
    pub(crate) fn complete(&mut self) {
        if let Some(held) = self.held.take() {
            held.release().complete(self.cut_short);
            self.vendor.latencies.whole_request.observe(self.arrived.elapsed());
        }
    }

    /// A fault has ended it.
    pub(crate) fn fail(&mut self) {
        if let Some(held) = self.held.take() {
            held.release().fail();
        }
    }

    fn observe(&mut self, tokens: &Range<u32>, now: Instant) {
        for token in tokens.clone() {
            match token {
                0 => self.vendor.latencies.first_token.observe(now - self.arrived),
                _ => self.vendor.latencies.inter_token.observe(now - self.last_token),
            }
            self.last_token = now;
        }
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        if let Some(held) = self.held.take()
            && self.ignore_disconnect
        {
            self.vendor.adopt(run_alone(Arc::clone(&self.vendor.recorder), self.pace.clone(), held));
        }
    }
}

/// Makes the remaining tokens, for nobody. Its client counts as gone when it ends: until then the
/// generation is under way and occupies what it occupied.
async fn run_alone(recorder: Arc<Recorder>, mut pace: Pace, held: Held) {
    while !pace.is_over() && pace.ending().is_none() {
        sleep_until(pace.due()).await;
        recorder.tokens_after_disconnect(pace.take_due(Instant::now(), 1.0).len());
    }
    drop(held);
}
