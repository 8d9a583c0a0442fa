//! A load while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::arrivals::ArrivalTimes;
use super::{BodyTemplate, Exchange, LoadPlan, Schedule, Step, spread};
use crate::http::{Endpoint, OWN_LIMIT};
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
        let start = Instant::now() + plan.delay;
        let sender = Arc::new(Sender {
            log,
            warm_up: plan.warm_up.map(|warm_up| (start + warm_up.takes, warm_up.log)),
            template: plan.template,
            targets: plan.targets,
            lag,
        });
        let mut source = Source {
            random: fastrand::Rng::with_seed(plan.seed),
            left: Arc::new(AtomicU64::new(plan.requests_max)),
            requests_max: plan.requests_max,
            in_flight: plan.in_flight_max.map(|most| Arc::new(Semaphore::new(most as usize))),
            sender,
            staying: Arc::new(Exchange { client: plan.exchange.client.staying(), ..plan.exchange.clone() }),
            exchange: Arc::new(plan.exchange),
            disconnect_share: plan.disconnect_share,
            start,
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
            Schedule::Rate { per_second, arrivals, over } => {
                let driver = source.clone().rate(ArrivalTimes::new(arrivals, per_second, over));
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
    sender: Arc<Sender>,
    random: fastrand::Rng,
    /// Requests that may still be sent, of how many.
    left: Arc<AtomicU64>,
    requests_max: u64,
    /// A permit for each request of a rate that may be without an answer, if there is a limit.
    in_flight: Option<Arc<Semaphore>>,
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

    /// The number of the next request, from 1; `None` if there is none left.
    fn take(&self) -> Option<u64> {
        let left = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).ok()?;
        Some(self.requests_max - left + 1)
    }

    /// Waits until `due`; `false` if the load is stopped before.
    async fn waits_until(&self, due: Instant) -> bool {
        self.stop.run_until_cancelled(sleep_until(due)).await.is_some()
    }

    /// The permit of a request of a rate, if it needs one.
    ///
    /// # Errors
    /// If as many are without an answer as may be.
    fn permit(&self) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        self.in_flight.clone().map(Semaphore::try_acquire_owned).transpose()
    }

    /// The next request: some clients disconnect, the others do not.
    fn next(&mut self) -> Arc<Exchange> {
        let disconnects = self.random.f64() < self.disconnect_share;
        if disconnects { self.exchange.clone() } else { self.staying.clone() }
    }

    fn once(&mut self, start: Instant, count: u32, over: Duration) {
        for index in 0..count {
            let Some(number) = self.take() else { return };
            let (due, exchange, sender) = (start + spread(index, count, over), self.next(), self.sender.clone());
            self.spawn(async move {
                sleep_until(due).await;
                sender.send(&exchange, due, number).await;
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
        while self.waits_until(due).await
            && let Some(number) = self.take()
        {
            let answer = self.sender.send(&exchange, due, number).await;
            let failed = !answer.end.is_completed() && answer.end != StreamEnd::Disconnected;
            let pause = if failed { PAUSE_AFTER_FAILURE } else { Duration::ZERO };
            due = (Instant::now() + pause).max(due + self.period);
        }
    }

    async fn rate(mut self, mut times: ArrivalTimes) {
        // Once the last request is sent, no further arrival is awaited.
        while self.left.load(Relaxed) > 0 {
            let due = self.start + times.next(&mut self.random);
            if !self.waits_until(due).await {
                return;
            }
            let Ok(permit) = self.permit() else {
                self.sender.log_of(due, None).drop_one();
                continue;
            };
            let Some(number) = self.take() else { return };
            let (exchange, sender) = (self.next(), self.sender.clone());
            self.spawn(async move {
                sender.send(&exchange, due, number).await;
                drop(permit);
            });
        }
    }

    async fn sequence(self, steps: Vec<Step>) {
        sleep_until(self.start).await;
        for Step { name, request } in steps {
            if self.stop.is_cancelled() {
                return;
            }
            let Some(number) = self.take() else { return };
            let exchange = Exchange { request, ..(*self.exchange).clone() };
            let answer = self.sender.send(&exchange, Instant::now(), number).await;
            self.sender.log.step(step_result(name, answer));
        }
    }
}

/// Sends requests, and counts them.
struct Sender {
    log: Arc<StreamLog>,
    /// The end of the warm-up, and where what is due before is counted.
    warm_up: Option<(Instant, Arc<StreamLog>)>,
    template: Option<Arc<BodyTemplate>>,
    /// [`LoadPlan::targets`]
    targets: Vec<(Endpoint, Arc<StreamLog>)>,
    lag: Arc<LagLog>,
}

impl Sender {
    /// Where a request to `target` is counted that was due at `due`.
    fn log_of<'a>(&'a self, due: Instant, target: Option<&'a (Endpoint, Arc<StreamLog>)>) -> &'a Arc<StreamLog> {
        match (&self.warm_up, target) {
            (Some((end, log)), _) if due < *end => log,
            (_, Some((_, log))) => log,
            _ => &self.log,
        }
    }

    /// The request with this number, if it differs from the others.
    fn of_its_own(&self, exchange: &Exchange, number: u64, target: Option<&Endpoint>) -> Option<Exchange> {
        if target.is_none() && self.template.is_none() {
            return None;
        }
        let mut own = exchange.clone();
        own.endpoint = target.cloned().unwrap_or(own.endpoint);
        if let Some(template) = &self.template {
            own.request.body = template.body(number);
        }
        Some(own)
    }

    /// Sends the request with this number, which is due now.
    async fn send(&self, exchange: &Exchange, due: Instant, number: u64) -> StreamAnswer {
        let target = self.targets.get(((number - 1) % self.targets.len().max(1) as u64) as usize);
        let own = self.of_its_own(exchange, number, target.map(|(endpoint, _)| endpoint));
        self.lag.record(due.elapsed());
        let answer = own.as_ref().unwrap_or(exchange).perform(due, self.log_of(due, target)).await;
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
