//! A set of streams: opened once, kept at a number, or arriving at a rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Arrivals, Disconnect, StreamPlan, open_stream, spread};
use crate::http::OWN_LIMIT;
use crate::measure::{LagLog, StreamEnd, StreamLog, sleep_until};

/// Pause of a virtual user after a failure, so that fast rejections do not become a busy loop.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// The shape of a load.
#[derive(Debug, Clone, Copy)]
pub enum LoadShape {
    /// Closed model: a constant number of streams; one that ends is replaced at once. Opened evenly over the ramp.
    Concurrency {
        /// Number of streams.
        streams: u32,
        /// Time over which they are opened.
        ramp: Duration,
    },
    /// Open model: new streams at a rate, however many are still open.
    Rate {
        /// Streams per second.
        per_second: f64,
        /// Their spacing.
        arrivals: Arrivals,
    },
}

/// A set of streams. Dropped, it closes the open ones, which count as still open.
pub struct StreamSet {
    plan: Arc<StreamPlan>,
    log: Arc<StreamLog>,
    lag: Arc<LagLog>,
    /// Share of the clients that disconnect early, and after how many tokens.
    disconnect_share: (f64, u32),
    /// Time after which each client disconnects, from when its stream was due.
    disconnect_after: Option<Duration>,
    /// Minimum time between two streams of a virtual user.
    period: Duration,
    random: fastrand::Rng,
    tasks: JoinSet<()>,
}

impl StreamSet {
    /// An empty set.
    #[must_use]
    pub fn new(plan: StreamPlan, log: Arc<StreamLog>, lag: Arc<LagLog>, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let (disconnect_share, disconnect_after, period, tasks) = ((0.0, 0), None, Duration::ZERO, JoinSet::new());
        StreamSet { plan: Arc::new(plan), log, lag, disconnect_share, disconnect_after, period, random, tasks }
    }

    /// Lets a `share` of the clients disconnect after `tokens` tokens.
    #[must_use]
    pub fn with_disconnect_share(mut self, share: f64, tokens: u32) -> Self {
        self.disconnect_share = (share, tokens);
        self
    }

    /// Lets every client of [`StreamSet::open`] disconnect this long after its stream was due.
    #[must_use]
    pub fn disconnecting_after(mut self, after: Option<Duration>) -> Self {
        self.disconnect_after = after;
        self
    }

    /// Sets a minimum time between two streams of a virtual user: a server that answers at once would get thousands of
    /// requests per second.
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
            let (plan, log, lag, disconnect) = self.parts();
            let disconnect = Disconnect { at: self.disconnect_after.map(|after| due + after), ..disconnect };
            self.tasks.spawn(async move {
                sleep_until(due).await;
                begin(plan, due, log, &lag, disconnect).await;
            });
        }
    }

    /// Applies `shape` for `duration`, with at most `requests_max` streams. Streams that are open at its end stay open.
    pub async fn keep(&mut self, shape: LoadShape, duration: Duration, requests_max: u64) {
        let end = Instant::now() + duration;
        match shape {
            LoadShape::Concurrency { streams, ramp } => self.keep_concurrency(streams, ramp, end, requests_max).await,
            LoadShape::Rate { per_second, arrivals } => self.keep_rate(per_second, arrivals, end, requests_max).await,
        }
    }

    /// Waits until all streams have ended, at most for `limit`.
    pub async fn wait(&mut self, limit: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // The others are closed later.
        let _ = tokio::time::timeout(limit, all).await;
    }

    /// Closes all streams. The open ones count as still open.
    pub async fn disconnect(&mut self) {
        self.tasks.shutdown().await;
    }

    async fn keep_concurrency(&mut self, streams: u32, ramp: Duration, end: Instant, requests_max: u64) {
        let start = Instant::now();
        let budget = Arc::new(AtomicU64::new(requests_max));
        for index in 0..streams {
            let due = start + spread(index, streams, ramp);
            let (plan, log, lag, disconnect) = self.parts();
            let user = VirtualUser { plan, log, lag, disconnect, budget: budget.clone(), period: self.period };
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
        let (plan, log, lag, disconnect) = self.parts();
        self.tasks.spawn(async move {
            begin(plan, due, log, &lag, disconnect).await;
        });
    }

    fn parts(&mut self) -> (Arc<StreamPlan>, Arc<StreamLog>, Arc<LagLog>, Disconnect) {
        let (share, tokens) = self.disconnect_share;
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
    disconnect: Disconnect,
) -> StreamEnd {
    lag.record(due.elapsed());
    let ended = open_stream(plan, due, log, disconnect).await;
    if ended == StreamEnd::Failed(OWN_LIMIT) {
        lag.not_sent();
    }
    ended
}

/// A virtual user of a closed model, who opens one stream after another.
struct VirtualUser {
    plan: Arc<StreamPlan>,
    log: Arc<StreamLog>,
    lag: Arc<LagLog>,
    disconnect: Disconnect,
    /// Streams that all users together may still open.
    budget: Arc<AtomicU64>,
    /// Minimum time from the start of one stream to the next.
    period: Duration,
}

impl VirtualUser {
    async fn repeat(self, mut due: Instant, end: Instant) {
        while due < end && self.budget.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            sleep_until(due).await;
            let ended = begin(self.plan.clone(), due, self.log.clone(), &self.lag, self.disconnect).await;
            let failed =
                !matches!(ended, StreamEnd::Completed | StreamEnd::CompletedWithoutDone | StreamEnd::Disconnected);
            let pause = if failed { PAUSE_AFTER_FAILURE } else { Duration::ZERO };
            due = (Instant::now() + pause).max(due + self.period);
        }
    }
}
