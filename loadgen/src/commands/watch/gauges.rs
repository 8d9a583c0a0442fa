//! The server's own metrics of its pool and its streams.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::engine::scrape;
use crate::http::Endpoint;

/// Interval between two requests of `/metrics`.
const INTERVAL: Duration = Duration::from_millis(500);
/// Age from which the last answer is no longer shown.
const FRESH: Duration = Duration::from_secs(2);

/// The server's `/metrics`, read periodically.
pub(super) struct Gauges {
    last: Arc<Mutex<LastAnswer>>,
    _task: AbortOnDropHandle<()>,
}

/// The last answer.
struct LastAnswer {
    /// When it came.
    at: Instant,
    /// Its figures; `None` if it has none of those below.
    figures: Option<Figures>,
}

/// The figures that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figures {
    /// broken-server: the threads that its mistakes hold.
    Pool { busy: u64, size: u64, queued: u64 },
    /// fixed-server: no stream holds a thread.
    Streams { open: u64, queued: u64 },
}

impl Gauges {
    /// Starts reading, and waits briefly for the first answer.
    pub(super) async fn start(server: Endpoint) -> Self {
        let mut first = LastAnswer { at: Instant::now(), figures: None };
        if let Ok(figures) = timeout(INTERVAL, read(&server)).await {
            first = LastAnswer { at: Instant::now(), figures };
        }
        let last = Arc::new(Mutex::new(first));
        let shared = last.clone();
        let task = tokio::spawn(async move {
            loop {
                sleep(INTERVAL).await;
                let Some(figures) = read(&server).await else { continue };
                *shared.lock().unwrap_or_else(PoisonError::into_inner) =
                    LastAnswer { at: Instant::now(), figures: Some(figures) };
            }
        });
        Gauges { last, _task: AbortOnDropHandle::new(task) }
    }

    /// Whether the server has these figures.
    pub(super) fn available(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).figures.is_some()
    }

    /// The current figures as text; empty if the server never had any.
    pub(super) fn text(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let age = last.at.elapsed();
        match last.figures {
            None => String::new(),
            Some(_) if age > FRESH => format!("no answer for {} s", age.as_secs()),
            Some(Figures::Pool { busy, size, queued }) => format!("pool: {busy} of {size} busy, {queued} queued"),
            Some(Figures::Streams { open, queued }) => format!("streams: {open} open, {queued} queued"),
        }
    }
}

async fn read(server: &Endpoint) -> Option<Figures> {
    let scrape = scrape(server).await?;
    let gauge = |name: &str| scrape.sum(name).map(|value| value.max(0.0) as u64);
    let pool = || {
        let (busy, size) = (gauge("blocking_pool_busy")?, gauge("blocking_pool_size")?);
        Some(Figures::Pool { busy, size, queued: gauge("blocking_pool_queued")? })
    };
    let streams = || Some(Figures::Streams { open: gauge("llm_open_streams")?, queued: gauge("llm_queue_length")? });
    pool().or_else(streams)
}
