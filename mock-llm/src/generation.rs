//! One answer in the making, from its start to its end or to the disconnect of its client.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use fastrand::Rng;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::answer_spec::AnswerSpec;
use crate::faults::Ending;
use crate::generation_slots::SlotPermit;
use crate::ledger::{GenerationGuard, LedgerCounters};
use crate::quota_enforcer::InFlightGuard;
use crate::token_schedule::TokenSchedule;
use crate::vendor::Vendor;

/// One answer in the making. Dropped before its end, its client has left: then it ends there, or
/// with `ignore-disconnect` goes on alone.
pub(crate) struct Generation {
    vendor: Arc<Vendor>,
    /// None when it has ended.
    resources: Option<GenerationResources>,
    schedule: TokenSchedule,
    /// Set to `schedule.due()`, always.
    sleep: Pin<Box<Sleep>>,
    arrived: Instant,
    last_token: Instant,
    by_limit: bool,
    ignore_disconnect: bool,
}

/// What a generation occupies while it is under way. The order is that of release: the ledger, the
/// last, does not say that it has ended while it still occupies something.
#[derive(Debug)]
pub(crate) struct GenerationResources {
    pub(crate) slot: SlotPermit,
    pub(crate) in_flight: InFlightGuard,
    pub(crate) guard: GenerationGuard,
}

impl GenerationResources {
    fn release(self) -> GenerationGuard {
        let GenerationResources { slot, in_flight, guard } = self;
        drop(slot);
        drop(in_flight);
        guard
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
    pub(crate) fn start(
        vendor: &Arc<Vendor>,
        resources: GenerationResources,
        spec: &AnswerSpec,
        delays: Rng,
        arrived: Instant,
    ) -> Self {
        let now = Instant::now();
        vendor.latencies.queue.observe(now - arrived);
        let schedule = TokenSchedule::start(spec, delays, now, vendor.slots.slowdown());
        Generation {
            vendor: Arc::clone(vendor),
            resources: Some(resources),
            sleep: Box::pin(sleep_until(schedule.due())),
            schedule,
            arrived,
            last_token: now,
            by_limit: spec.by_limit,
            ignore_disconnect: spec.ignore_disconnect,
        }
    }

    /// Waits for what happens next. Not to be called once the answer [`is_over`](Self::is_over).
    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            if self.schedule.ending() == Some(Ending::Hang) {
                // Nothing here wakes it again: the connection does, when its client leaves.
                return Poll::Pending;
            }
            ready!(self.sleep.as_mut().poll(cx));
            if let Some(ending) = self.schedule.ending() {
                return Poll::Ready(Step::Ending(ending));
            }
            let now = Instant::now();
            let tokens = self.schedule.take_due(now, self.vendor.slots.slowdown());
            self.observe(&tokens, now);
            if !self.is_over() {
                self.sleep.as_mut().reset(self.schedule.due());
            }
            if !tokens.is_empty() {
                return Poll::Ready(Step::Tokens(tokens));
            }
        }
    }

    /// Whether all tokens were made.
    pub(crate) fn is_over(&self) -> bool {
        self.schedule.is_over()
    }

    /// How many tokens were made.
    pub(crate) fn generated(&self) -> u32 {
        self.schedule.generated()
    }

    /// Counts tokens that were handed to the socket.
    pub(crate) fn sent(&self, tokens: &Range<u32>) {
        self.vendor.counters.tokens_sent(tokens.len());
    }

    /// The answer was handed over whole.
    pub(crate) fn complete(&mut self) {
        if let Some(resources) = self.resources.take() {
            resources.release().complete(self.by_limit);
            self.vendor.latencies.whole_request.observe(self.arrived.elapsed());
        }
    }

    /// A fault has ended it.
    pub(crate) fn fail(&mut self) {
        if let Some(resources) = self.resources.take() {
            resources.release().fail();
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
        if let Some(resources) = self.resources.take()
            && self.ignore_disconnect
        {
            self.vendor.run_in_background(finish_without_client(
                Arc::clone(&self.vendor.counters),
                self.schedule.clone(),
                resources,
            ));
        }
    }
}

/// Makes the remaining tokens, for nobody. Its client counts as gone when it ends: until then the
/// generation is under way and occupies what it occupied.
async fn finish_without_client(
    counters: Arc<LedgerCounters>,
    mut schedule: TokenSchedule,
    resources: GenerationResources,
) {
    while !schedule.is_over() && schedule.ending().is_none() {
        sleep_until(schedule.due()).await;
        counters.tokens_after_disconnect(schedule.take_due(Instant::now(), 1.0).len());
    }
    drop(resources);
}
