//! A load while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{Arrivals, Exchange, LoadPlan, Schedule, Step, spread};
use crate::http::OWN_LIMIT;
use crate::measure::{LagLog, StreamAnswer, StreamEnd, StreamLog, sleep_until};
use crate::numbers::in_millis;
use crate::result::StepResult;

/// Pause of a virtual user after a failure, so that fast rejections do not become a busy loop.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// A load while it runs. Dropped, it closes its connections, and the requests without an answer count as still open.
#[derive(Debug)]
pub struct RunningLoad {
    ends: bool,
    requests: TaskTracker,
    stop: CancellationToken,
    close: CancellationToken,
    _close_when_dropped: DropGuard,
}

impl RunningLoad {
    /// Starts the load now, and counts its requests in `log`.
    #[must_use]
    pub fn start(plan: LoadPlan, log: Arc<StreamLog>, lag: Arc<LagLog>) -> Self {
        let (requests, stop, close) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
        let mut source = Source {
            random: fastrand::Rng::with_seed(plan.seed),
            budget: Arc::new(AtomicU64::new(plan.requests_max)),
            sender: Sender { log, lag },
            staying: Arc::new(Exchange { client: plan.exchange.client.staying(), ..plan.exchange.clone() }),
            exchange: Arc::new(plan.exchange),
            disconnect_share: plan.disconnect_share,
            start: Instant::now() + plan.delay,
            period: plan.period,
            requests: requests.clone(),
            stop: stop.clone(),
            close: close.clone(),
        };
        let ends = plan.schedule.ends();
        match plan.schedule {
            Schedule::Once { count, over } => source.once(source.start, count, over),
            Schedule::Bursts { bursts, each, over, every } => {
                let start = source.start;
                (0..bursts).for_each(|burst| source.once(start + every * burst, each, over));
            }
            Schedule::Concurrency { count, over } => source.concurrency(count, over),
            Schedule::Rate { per_second, arrivals } => {
                let driver = source.clone().rate(per_second, arrivals);
                source.spawn(driver);
            }
            Schedule::Sequence(steps) => {
                let driver = source.clone().sequence(steps);
                source.spawn(driver);
            }
        }
        requests.close();
        RunningLoad { ends, requests, stop, _close_when_dropped: close.clone().drop_guard(), close }
    }

    /// Sends nothing more. Requests without an answer stay open.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether it ends by itself; otherwise it goes on until it is stopped.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.ends
    }

    /// Whether all requests have ended, and none will follow.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.requests.is_empty()
    }

    /// Waits until all requests have ended, at most for `limit`. A load without an end must be stopped before.
    pub async fn wait(&self, limit: Duration) {
        // The others are closed later.
        let _ = tokio::time::timeout(limit, self.requests.wait()).await;
    }

    /// Closes all connections. The requests without an answer count as still open.
    pub async fn disconnect(&self) {
        self.close.cancel();
        self.requests.wait().await;
    }
}

/// Where the requests of a load come from.
#[derive(Clone)]
struct Source {
    exchange: Arc<Exchange>,
    /// The same of a client that does not disconnect.
    staying: Arc<Exchange>,
    sender: Sender,
    random: fastrand::Rng,
    /// Requests that may still be sent.
    budget: Arc<AtomicU64>,
    disconnect_share: f64,
    /// When the first request may be due.
    start: Instant,
    period: Duration,
    requests: TaskTracker,
    stop: CancellationToken,
    close: CancellationToken,
}

impl Source {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let close = self.close.clone();
        self.requests.spawn(async move { _ = close.run_until_cancelled_owned(task).await });
    }

    /// Takes one request off the budget; false if there is none left.
    fn take(&self) -> bool {
        self.budget.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// The next request: some clients disconnect, the others do not.
    fn next(&mut self) -> Arc<Exchange> {
        let disconnects = self.random.f64() < self.disconnect_share;
        if disconnects { self.exchange.clone() } else { self.staying.clone() }
    }

    fn once(&mut self, start: Instant, count: u32, over: Duration) {
        for index in 0..count {
            if !self.take() {
                return;
            }
            let (due, exchange, sender) = (start + spread(index, count, over), self.next(), self.sender.clone());
            self.spawn(async move {
                sleep_until(due).await;
                sender.send(&exchange, due).await;
            });
        }
    }

    fn concurrency(&mut self, count: u32, over: Duration) {
        for index in 0..count {
            let (due, exchange) = (self.start + spread(index, count, over), self.next());
            self.spawn(self.clone().user(exchange, due));
        }
    }

    /// A virtual user, who sends one request after another.
    async fn user(self, exchange: Arc<Exchange>, mut due: Instant) {
        while self.stop.run_until_cancelled(sleep_until(due)).await.is_some() && self.take() {
            let answer = self.sender.send(&exchange, due).await;
            let failed = !answer.end.is_completed() && answer.end != StreamEnd::Disconnected;
            let pause = if failed { PAUSE_AFTER_FAILURE } else { Duration::ZERO };
            due = (Instant::now() + pause).max(due + self.period);
        }
    }

    async fn rate(mut self, per_second: f64, arrivals: Arrivals) {
        let mut due = self.start;
        loop {
            due += arrivals.gap(per_second, &mut self.random);
            if self.stop.run_until_cancelled(sleep_until(due)).await.is_none() || !self.take() {
                return;
            }
            let (exchange, sender) = (self.next(), self.sender.clone());
            self.spawn(async move { _ = sender.send(&exchange, due).await });
        }
    }

    async fn sequence(self, steps: Vec<Step>) {
        sleep_until(self.start).await;
        for Step { name, request } in steps {
            if self.stop.is_cancelled() || !self.take() {
                return;
            }
            let exchange = Exchange { request, ..(*self.exchange).clone() };
            let answer = self.sender.send(&exchange, Instant::now()).await;
            self.sender.log.step(step_result(name, answer));
        }
    }
}

/// Sends requests, and counts them.
#[derive(Clone)]
struct Sender {
    log: Arc<StreamLog>,
    lag: Arc<LagLog>,
}

impl Sender {
    /// Sends a request that is due now.
    async fn send(&self, exchange: &Exchange, due: Instant) -> StreamAnswer {
        self.lag.record(due.elapsed());
        let answer = exchange.perform(due, &self.log).await;
        if answer.end == StreamEnd::Failed(OWN_LIMIT) {
            self.lag.not_sent();
        }
        answer
    }
}

/// The answer to a step of this name.
fn step_result(name: String, answer: StreamAnswer) -> StepResult {
    let StreamAnswer { end, status, took, tokens, .. } = answer;
    let failure = if end.is_completed() { None } else { Some(end.to_string()) };
    StepResult { name, status, failure, duration_ms: in_millis(took), tokens }
}
