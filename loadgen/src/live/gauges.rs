//! The servers' own metrics of their pools and their streams, read twice a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::PoolFrame;
use crate::engine::scrape;
use crate::http::Endpoint;

/// Interval between two requests of `/metrics`.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long an answer may take. A server that hangs must not hold up the others, nor collect requests.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Age from which the last answer is no longer shown.
const FRESH: Duration = Duration::from_secs(2);

/// The `/metrics` of an arm's servers, read until it is dropped: two requests a second and server, so only where
/// something shows them.
pub struct Gauges {
    last: Arc<Mutex<LastAnswer>>,
    answered: watch::Receiver<bool>,
    _task: AbortOnDropHandle<()>,
}

/// The last answer.
#[derive(Debug, Default)]
struct LastAnswer {
    /// When it came, if there was one with any of these figures.
    at: Option<Instant>,
    figures: Figures,
}

/// The figures that are shown, of all servers together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Figures {
    /// broken-server: the threads that its mistakes hold.
    pool: Option<PoolFrame>,
    /// fixed-server: no stream holds a thread.
    streams: Option<StreamGauges>,
}

/// Streams, as fixed-server counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct StreamGauges {
    open: u64,
    queued: u64,
}

impl Gauges {
    /// Starts reading.
    #[must_use]
    pub fn start(servers: Vec<Endpoint>) -> Self {
        let last = Arc::new(Mutex::new(LastAnswer::default()));
        let (done, answered) = watch::channel(false);
        let shared = last.clone();
        let task = tokio::spawn(async move {
            let mut due = interval(INTERVAL);
            due.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                due.tick().await;
                if let Some(figures) = read(&servers).await {
                    let at = Some(Instant::now());
                    *shared.lock().unwrap_or_else(PoisonError::into_inner) = LastAnswer { at, figures };
                }
                done.send_replace(true);
            }
        });
        Gauges { last, answered, _task: AbortOnDropHandle::new(task) }
    }

    /// Waits briefly for the first answer.
    pub async fn first(&self) {
        // Without one, nothing is known yet.
        let _ = timeout(INTERVAL, self.answered.clone().wait_for(|answered| *answered)).await;
    }

    /// Whether the servers have these figures.
    #[must_use]
    pub fn available(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).at.is_some()
    }

    /// The pools of the servers together, if all of them have answered within the last two seconds.
    #[must_use]
    pub fn pool(&self) -> Option<PoolFrame> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.at.filter(|at| at.elapsed() <= FRESH).and(last.figures.pool)
    }

    /// The current figures as text; empty if the servers never had any.
    #[must_use]
    pub fn text(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(age) = last.at.map(|at| at.elapsed()) else { return String::new() };
        match last.figures {
            _ if age > FRESH => format!("no answer for {} s", age.as_secs()),
            Figures { pool: Some(PoolFrame { busy, size, queued }), .. } => {
                format!("pool: {busy} of {size} busy, {queued} queued")
            }
            Figures { streams: Some(StreamGauges { open, queued }), .. } => {
                format!("streams: {open} open, {queued} queued")
            }
            Figures { pool: None, streams: None } => String::new(),
        }
    }
}

/// The figures of all `servers` together, if each has answered with the same ones.
async fn read(servers: &[Endpoint]) -> Option<Figures> {
    let read = servers.iter().map(|server| timeout(TIMEOUT, read_one(server)));
    let figures: Vec<Figures> =
        join_all(read).await.into_iter().map(|read| read.ok().flatten()).collect::<Option<_>>()?;
    figures.into_iter().reduce(Figures::and)
}

async fn read_one(server: &Endpoint) -> Option<Figures> {
    let scrape = scrape(server).await?;
    let gauge = |name: &str| scrape.sum(name).map(|value| value.max(0.0) as u64);
    let pool = || {
        let (busy, size) = (gauge("blocking_pool_busy")?, gauge("blocking_pool_size")?);
        Some(PoolFrame { busy, size, queued: gauge("blocking_pool_queued")? })
    };
    let streams = || Some(StreamGauges { open: gauge("llm_open_streams")?, queued: gauge("llm_queue_length")? });
    let figures = match pool() {
        Some(pool) => Figures { pool: Some(pool), streams: None },
        None => Figures { pool: None, streams: streams() },
    };
    (figures != Figures::default()).then_some(figures)
}

impl Figures {
    fn and(self, other: Figures) -> Figures {
        let pool = |(one, other): (PoolFrame, PoolFrame)| PoolFrame {
            size: one.size + other.size,
            busy: one.busy + other.busy,
            queued: one.queued + other.queued,
        };
        let streams = |(one, other): (StreamGauges, StreamGauges)| StreamGauges {
            open: one.open + other.open,
            queued: one.queued + other.queued,
        };
        Figures { pool: self.pool.zip(other.pool).map(pool), streams: self.streams.zip(other.streams).map(streams) }
    }
}
