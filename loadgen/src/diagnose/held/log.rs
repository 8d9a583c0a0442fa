//! What all streams together have counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::http::OWN_LIMIT;
use crate::measure::StreamEnd;
use crate::numbers::in_millis;

/// Why a stream has not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It was answered with this HTTP status.
    Rejected(u16),
    /// It had no answer, for this cause.
    Failed(&'static str),
    /// This process had no descriptor or port for it.
    NotSent,
}

impl Loss {
    /// How its stream counts among those of a run.
    pub(super) fn end(self) -> StreamEnd {
        match self {
            Loss::Rejected(status) => StreamEnd::Refused(status),
            Loss::Failed(cause) => StreamEnd::Failed(cause),
            Loss::NotSent => StreamEnd::Failed(OWN_LIMIT),
        }
    }
}

/// What all streams have counted so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Streams that began.
    pub(crate) begun: u64,
    /// Streams that ended after they had begun.
    pub(crate) ended: u64,
    /// Those among them whose connection was closed before their end.
    pub(crate) broken: u64,
    /// Chunks of all streams.
    pub(crate) chunks: u64,
    /// Rejections by HTTP status.
    pub(crate) rejected: BTreeMap<u16, u64>,
    /// Failures by cause.
    pub(crate) failed: BTreeMap<String, u64>,
    /// The longest time to a rejection or failure, in milliseconds.
    pub(crate) slowest_loss_ms: f64,
    /// Requests that this process could not send.
    pub(crate) not_sent: u64,
    /// Whether a request was not sent because too many had been.
    pub(crate) used_up: bool,
}

impl Counts {
    /// Requests that were rejected or failed.
    pub(crate) fn lost(&self) -> u64 {
        self.rejected.values().sum::<u64>() + self.failed.values().sum::<u64>()
    }
}

/// The counts, and what they are drawn from.
#[derive(Debug, Default)]
pub(crate) struct HeldLog {
    pub(crate) counts: Counts,
    /// Requests that were sent.
    requests: u64,
    /// Time between chunks, and the number of times between them.
    pub(super) flowed: Duration,
    pub(super) gaps: u64,
    /// When each stream began and ended.
    lives: Vec<(Instant, Option<Instant>)>,
    /// How long each waited before it began.
    waits: Vec<Duration>,
}

impl HeldLog {
    /// How many streams the server served at `at`: one that begins has been served since `first_chunk` before, because it
    /// takes so long when idle.
    pub(crate) fn served_at(&self, at: Instant, first_chunk: Duration) -> u64 {
        let served = |(begun, ended): &&(Instant, Option<Instant>)| {
            *begun <= at + first_chunk && ended.is_none_or(|ended| at < ended)
        };
        self.lives.iter().filter(served).count() as u64
    }

    /// The median time before the first chunk, of the streams that began after the first `skipped`.
    pub(crate) fn typical_wait(&self, skipped: u64) -> Option<Duration> {
        let mut waits = self.waits.get(usize::try_from(skipped).ok()?..)?.to_vec();
        waits.sort_unstable();
        waits.get(waits.len() / 2).copied()
    }

    /// Counts a request; false if `max` have been sent.
    pub(super) fn request(&mut self, max: u64) -> bool {
        let fits = self.requests < max;
        self.requests += u64::from(fits);
        self.counts.used_up |= !fits;
        fits
    }

    /// A stream began, and waited for so long before. Returns its number.
    pub(super) fn begin(&mut self, now: Instant, waited: Duration) -> usize {
        self.counts.begun += 1;
        self.waits.push(waited);
        self.lives.push((now, None));
        self.lives.len() - 1
    }

    /// A chunk came this long after the one before.
    pub(super) fn gap(&mut self, gap: Duration) {
        self.flowed += gap;
        self.gaps += 1;
    }

    /// The stream of this number ended.
    pub(super) fn end(&mut self, life: Option<usize>, now: Instant, broken: bool) {
        self.counts.ended += 1;
        self.counts.broken += u64::from(broken);
        if let Some((_, ended)) = life.and_then(|life| self.lives.get_mut(life)) {
            *ended = Some(now);
        }
    }

    /// A request was lost after this long.
    pub(super) fn lose(&mut self, loss: Loss, after: Duration) {
        match loss {
            Loss::Rejected(status) => *self.counts.rejected.entry(status).or_default() += 1,
            Loss::Failed(cause) => *self.counts.failed.entry(cause.to_owned()).or_default() += 1,
            Loss::NotSent => {
                self.counts.not_sent += 1;
                return;
            }
        }
        self.counts.slowest_loss_ms = self.counts.slowest_loss_ms.max(in_millis(after));
    }
}
