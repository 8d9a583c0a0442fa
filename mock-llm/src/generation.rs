//! The generation of one answer, from its start to its end or to the disconnect of its client.

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

/// The generation of one answer. It is dropped before its end when its client disconnects: then it ends, or
/// continues in the background with `ignore-disconnect`.
pub(crate) struct Generation {
    vendor: Arc<Vendor>,
    /// `None` once it has ended.
    resources: Option<GenerationResources>,
    schedule: TokenSchedule,
    /// Always set to `schedule.due()`.
    sleep: Pin<Box<Sleep>>,
    arrived: Instant,
    last_token: Instant,
    by_limit: bool,
    ignore_disconnect: bool,
}

/// What a generation holds while it is active. They are released in this order: the ledger, last, must not count
/// it as ended while it still holds a slot.
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

/// The next step of an answer.
pub(crate) enum Step {
    /// These tokens, numbered from 0; at least one.
    Tokens(Range<u32>),
    /// A fault ends the answer.
    Ending(Ending),
}

impl Generation {
    /// Starts now, for a request that arrived at `arrived`.
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

    /// Waits for the next step. Must not be called once the answer [`is_over`](Self::is_over).
    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            if self.schedule.ending() == Some(Ending::Hang) {
                // Nothing wakes it again but the disconnect of the client.
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

    /// Whether all tokens were generated.
    pub(crate) fn is_over(&self) -> bool {
        self.schedule.is_over()
    }

    /// Number of tokens generated so far.
    pub(crate) fn generated(&self) -> u32 {
        self.schedule.generated()
    }

    /// Counts tokens written to the socket.
    pub(crate) fn sent(&self, tokens: &Range<u32>) {
        self.vendor.counters.tokens_sent(tokens.len());
    }

    /// Ends it: the answer was sent completely.
    pub(crate) fn complete(&mut self) {
        if let Some(resources) = self.resources.take() {
            resources.release().complete(self.by_limit);
            self.vendor.latencies.whole_request.observe(self.arrived.elapsed());
        }
    }

    /// Ends it because of a fault.
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

/// Generates the remaining tokens after the client has disconnected. Until the end the generation stays active
/// and keeps its resources; then it counts as cancelled.
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
