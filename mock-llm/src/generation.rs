use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use fastrand::Rng;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::latency::Delay;
use crate::recorder::Entry;
use crate::vendor::Vendor;

/// Most tokens that one step hands over. Only a vendor that is behind its schedule has more than
/// one due; the bound lets other streams have their turn.
const TOKENS_PER_STEP_MAX: u32 = 64;

/// One answer in the making: says when its tokens are due.
///
/// Each token has an absolute due time, the one before plus a drawn delay, so that a late wake-up
/// delays one token and not all that follow.
pub(crate) struct Generation {
    vendor: Arc<Vendor>,
    entry: Entry,
    rng: Rng,
    inter_token: Delay,
    tokens: u32,
    made: u32,
    due: Instant,
    /// Set to `due`, always.
    sleep: Pin<Box<Sleep>>,
}

/// What a generation is asked to do, after settings, request and headers had their say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) tokens: u32,
    /// Whether the client's limit made it shorter than it would have been.
    pub(crate) cut_short: bool,
    pub(crate) ttft: Delay,
    pub(crate) inter_token: Delay,
}

impl Generation {
    /// Begins now.
    pub(crate) fn begin(vendor: &Arc<Vendor>, entry: Entry, plan: Plan, mut rng: Rng) -> Self {
        let due = Instant::now() + plan.ttft.draw(&mut rng);
        Generation {
            vendor: Arc::clone(vendor),
            entry,
            rng,
            inter_token: plan.inter_token,
            tokens: plan.tokens,
            made: 0,
            due,
            sleep: Box::pin(sleep_until(due)),
        }
    }

    /// Waits for the next token and returns the numbers of all that are due, from 0.
    /// Not to be called once it [`is_over`](Self::is_over).
    pub(crate) fn poll_tokens(&mut self, cx: &mut Context<'_>) -> Poll<Range<u32>> {
        ready!(self.sleep.as_mut().poll(cx));
        let now = Instant::now();
        let first = self.made;
        let end = self.tokens.min(first.saturating_add(TOKENS_PER_STEP_MAX));
        while self.made < end && self.due <= now {
            self.made += 1;
            self.due += self.inter_token.draw(&mut self.rng);
        }
        if !self.is_over() {
            self.sleep.as_mut().reset(self.due);
        }
        Poll::Ready(first..self.made)
    }

    /// Whether all tokens were made.
    pub(crate) fn is_over(&self) -> bool {
        self.made == self.tokens
    }

    /// Counts tokens that were handed to the socket.
    pub(crate) fn sent(&self, tokens: &Range<u32>) {
        self.vendor.recorder.tokens_sent(tokens.len() as u64);
    }

    /// The answer was handed over whole.
    pub(crate) fn complete(&mut self) {
        self.entry.complete();
    }
}
