//! Sets of streams: opened together, kept at a number, or arriving at a rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Arrivals, Disconnect, StreamPlan, open_stream, spread};
use crate::http::OWN_LIMIT;
use crate::measure::{LagLog, StreamEnd, StreamLog, sleep_until};

/// A closed loop that is refused waits so long before it asks again: a generator must not turn a
/// server's fast "no" into a busy loop.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// How many streams there are to be, and until when.
#[derive(Debug, Clone, Copy)]
pub enum LoadShape {
    /// Closed model: so many streams at any time, a finished one replaced at once. Begun evenly over
    /// the ramp.
    Concurrency {
        /// Streams at a time.
        streams: u32,
        /// From none to all.
        ramp: Duration,
    },
    /// Open model: so many new streams a second, whatever becomes of the earlier ones.
    Rate {
        /// Streams a second.
        per_second: f64,
        /// How they are spaced.
        arrivals: Arrivals,
    },
}

/// Streams under way. Dropped, it closes all of them; each counts as open until then.
pub struct StreamSet {
    plan: Arc<StreamPlan>,
    log: Arc<StreamLog>,
    lag: Arc<LagLog>,
    /// Share of the clients that leave early, and after how many tokens.
    leavers: (f64, u32),
    /// How long after it was due each client leaves, whatever it has got by then.
    disconnect_after: Option<Duration>,
    /// From one stream of a place in a closed loop to its next, at least.
    period: Duration,
    random: fastrand::Rng,
    tasks: JoinSet<()>,
}

impl StreamSet {
    /// Nobody yet.
    #[must_use]
    pub fn new(plan: StreamPlan, log: Arc<StreamLog>, lag: Arc<LagLog>, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let (leavers, disconnect_after, period, tasks) = ((0.0, 0), None, Duration::ZERO, JoinSet::new());
        StreamSet { plan: Arc::new(plan), log, lag, leavers, disconnect_after, period, random, tasks }
    }

    /// Lets a `share` of the clients leave after `tokens` tokens.
    #[must_use]
    pub fn with_disconnect_share(mut self, share: f64, tokens: u32) -> Self {
        self.leavers = (share, tokens);
        self
    }

    /// Lets every client of [`StreamSet::open`] leave so long after its stream was due.
    #[must_use]
    pub fn disconnecting_after(mut self, after: Option<Duration>) -> Self {
        self.disconnect_after = after;
        self
    }

    /// Lets a place of a closed loop begin its next stream no sooner than `period` after its last: whoever
    /// is answered at once would be asked thousands of times a second.
    #[must_use]
    pub fn at_most_every(mut self, period: Duration) -> Self {
        self.period = period;
        self
    }

    /// Opens `count` streams, each once, evenly over `ramp` from now.
    pub fn open(&mut self, count: u32, ramp: Duration) {
        let start = Instant::now();
        for index in 0..count {
            let due = start + spread(index, count, ramp);
            let (plan, log, lag, leaving) = self.parts();
            let leaving = Disconnect { at: self.disconnect_after.map(|after| due + after), ..leaving };
            self.tasks.spawn(async move {
                sleep_until(due).await;
                begin(plan, due, log, &lag, leaving).await;
            });
        }
    }

    /// Keeps up `shape` for `duration`, beginning at most `requests_max` streams. Streams that are
    /// open at its end stay open.
    pub async fn keep(&mut self, shape: LoadShape, duration: Duration, requests_max: u64) {
        let end = Instant::now() + duration;
        match shape {
            LoadShape::Concurrency { streams, ramp } => self.keep_concurrency(streams, ramp, end, requests_max).await,
            LoadShape::Rate { per_second, arrivals } => self.keep_rate(per_second, arrivals, end, requests_max).await,
        }
    }

    /// Waits until every stream has ended, at most for `limit`.
    pub async fn wait(&mut self, limit: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Those that have not ended are left to the drop.
        let _ = tokio::time::timeout(limit, all).await;
    }

    /// Closes all streams. Each that is open counts as left.
    pub async fn disconnect(&mut self) {
        self.tasks.shutdown().await;
    }

    async fn keep_concurrency(&mut self, streams: u32, ramp: Duration, end: Instant, requests_max: u64) {
        let start = Instant::now();
        let budget = Arc::new(AtomicU64::new(requests_max));
        for index in 0..streams {
            let due = start + spread(index, streams, ramp);
            let (plan, log, lag, leaving) = self.parts();
            let user = User { plan, log, lag, leaving, budget: budget.clone(), period: self.period };
            self.tasks.spawn(user.repeat(due, end));
        }
        sleep_until(end).await;
    }

    async fn keep_rate(&mut self, per_second: f64, arrivals: Arrivals, end: Instant, requests_max: u64) {
        let mut due = Instant::now();
        for _ in 0..requests_max {
            due += arrivals.gap(per_second, &mut self.random);
            if due >= end {
                break;
            }
            sleep_until(due).await;
            self.begin_one(due);
            while self.tasks.try_join_next().is_some() {}
        }
        sleep_until(end).await;
    }

    fn begin_one(&mut self, due: Instant) {
        let (plan, log, lag, leaving) = self.parts();
        self.tasks.spawn(async move {
            begin(plan, due, log, &lag, leaving).await;
        });
    }

    fn parts(&mut self) -> (Arc<StreamPlan>, Arc<StreamLog>, Arc<LagLog>, Disconnect) {
        let (share, tokens) = self.leavers;
        let after_tokens = (self.random.f64() < share).then_some(tokens);
        (self.plan.clone(), self.log.clone(), self.lag.clone(), Disconnect { after_tokens, at: None })
    }
}

/// Opens a stream that is due now, and reads it to its end.
async fn begin(
    plan: Arc<StreamPlan>,
    due: Instant,
    log: Arc<StreamLog>,
    lag: &LagLog,
    leaving: Disconnect,
) -> StreamEnd {
    lag.record(due.elapsed());
    let ended = open_stream(plan, due, log, leaving).await;
    if ended == StreamEnd::Failed(OWN_LIMIT) {
        lag.not_sent();
    }
    ended
}

/// One place of a closed loop.
struct User {
    plan: Arc<StreamPlan>,
    log: Arc<StreamLog>,
    lag: Arc<LagLog>,
    leaving: Disconnect,
    /// Streams that all users together may still begin.
    budget: Arc<AtomicU64>,
    /// From the begin of one to that of the next, at least.
    period: Duration,
}

impl User {
    async fn repeat(self, mut due: Instant, end: Instant) {
        while due < end && self.budget.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            sleep_until(due).await;
            let ended = begin(self.plan.clone(), due, self.log.clone(), &self.lag, self.leaving).await;
            let failed =
                !matches!(ended, StreamEnd::Completed | StreamEnd::CompletedWithoutDone | StreamEnd::Disconnected);
            let pause = if failed { PAUSE_AFTER_FAILURE } else { Duration::ZERO };
            due = (Instant::now() + pause).max(due + self.period);
        }
    }
}
