//! Streams that are held open: as many as asked for. One that ends is replaced. Chunks are pieces of the body as they
//! arrive, in whatever format.

mod log;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::time::{sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::options::DiagnoseOptions;
use super::seen::IdleStream;
use crate::http::{self, Endpoint, OWN_LIMIT, Receive};
use crate::measure::{StreamEnd, StreamGuard, StreamLog};
use crate::traffic::Request;
use log::Loss;
pub(super) use log::{Counts, HeldLog};

/// Pause before a stream that was rejected or failed is asked for again, and how it grows, so that fast rejections are no
/// flood.
const PAUSE_AFTER_LOSS: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(4);
/// Least time from one request of a stream to the next, for streams that end at once.
const REQUEST_INTERVAL: Duration = Duration::from_millis(250);

/// Streams that are held open. Dropped, it closes them.
pub(super) struct HeldStreams {
    plan: Arc<Plan>,
    held: Vec<(Arc<Mutex<Slot>>, AbortOnDropHandle<()>)>,
    log: Arc<Mutex<HeldLog>>,
}

/// What each of the streams is.
struct Plan {
    endpoint: Endpoint,
    request: Request,
    /// Chunks before the one with which a stream begins.
    preamble: u64,
    /// Requests after which no further one is sent.
    requests_max: u64,
    /// Where they count as the streams of any run do.
    run: Arc<StreamLog>,
}

/// One place for a stream.
#[derive(Debug, Clone, Copy)]
struct Slot {
    asked: Instant,
    /// When the present stream began, and when its last chunk came.
    begun: Option<(Instant, Instant)>,
    /// Whether the request is not in flight, because the last one was lost.
    pauses: bool,
}

/// How long a stream may be silent before it counts as one that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Before its first chunk.
    pub(super) first: Duration,
    /// Between two chunks.
    pub(super) next: Duration,
}

/// How many streams flow and wait at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flow {
    /// Streams that have begun and get chunks.
    pub(super) started: u64,
    /// Streams without a chunk for longer than the given patience, before the first or after it.
    pub(super) waiting: u64,
    /// Those of them that had begun.
    pub(super) stalled: u64,
}

/// The pace of streams that have begun: the time in which they flowed, summed over all of them, and the chunks after the
/// first that came in it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pace {
    pub(super) flowed: Duration,
    pub(super) gaps: u64,
}

impl HeldStreams {
    /// None yet. They count in `run` too.
    pub(super) fn new(options: &DiagnoseOptions, idle: &IdleStream, run: Arc<StreamLog>) -> Self {
        let (endpoint, request) = (options.endpoint.clone(), options.request.clone());
        let plan = Plan { endpoint, request, preamble: idle.preamble, requests_max: options.requests_max(), run };
        HeldStreams { plan: Arc::new(plan), held: Vec::new(), log: Arc::default() }
    }

    /// Opens streams until there are `count`, one after each `interval`.
    pub(super) async fn open(&mut self, count: usize, interval: Duration) {
        let mut due = Instant::now();
        while self.held.len() < count {
            let slot = Arc::new(Mutex::new(Slot { asked: Instant::now(), begun: None, pauses: false }));
            let reader = keep_open(self.plan.clone(), slot.clone(), self.log.clone());
            self.held.push((slot, AbortOnDropHandle::new(tokio::spawn(reader))));
            due += interval;
            sleep_until(due.into()).await;
        }
    }

    pub(super) fn flow(&self, patience: Patience) -> Flow {
        let mut flow = Flow::default();
        for (slot, _) in &self.held {
            let slot = *lock(slot);
            match slot {
                Slot { pauses: true, .. } => {}
                Slot { begun: Some((_, last)), .. } if last.elapsed() < patience.next => flow.started += 1,
                Slot { begun: None, asked, .. } if asked.elapsed() < patience.first => {}
                Slot { begun, .. } => {
                    flow.waiting += 1;
                    flow.stalled += u64::from(begun.is_some());
                }
            }
        }
        flow
    }

    /// The pace since the first stream was opened.
    pub(super) fn pace(&self) -> Pace {
        let open = |slot: &Arc<Mutex<Slot>>| lock(slot).begun.map_or(Duration::ZERO, |(_, last)| last.elapsed());
        let open: Duration = self.held.iter().map(|(slot, _)| open(slot)).sum();
        let log = self.log();
        Pace { flowed: log.flowed + open, gaps: log.gaps }
    }

    pub(super) fn counts(&self) -> Counts {
        self.log().counts.clone()
    }

    /// All that is known of the streams, which they wait to add to meanwhile.
    pub(super) fn log(&self) -> MutexGuard<'_, HeldLog> {
        lock(&self.log)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_open(plan: Arc<Plan>, slot: Arc<Mutex<Slot>>, log: Arc<Mutex<HeldLog>>) {
    let mut losses = 0;
    loop {
        let asked = Instant::now();
        *lock(&slot) = Slot { asked, begun: None, pauses: false };
        if !lock(&log).request(plan.requests_max) {
            break;
        }
        let (mut chunks, mut life) = (0, None);
        let mut guard = StreamGuard::begin(&plan.run, asked);
        let read = read(&plan, &mut guard, || {
            let now = Instant::now();
            chunks += 1;
            let (mut log, mut slot) = (lock(&log), lock(&slot));
            log.counts.chunks += 1;
            match &mut slot.begun {
                Some((_, last)) => log.gap(now - std::mem::replace(last, now)),
                None if chunks > plan.preamble => {
                    slot.begun = Some((now, now));
                    life = Some(log.begin(now, now - asked));
                }
                None => {}
            }
        })
        .await;
        let ended = match (read, life) {
            (Ok(_), None) => Err(Loss::Failed("ended without a chunk")),
            (read, _) => read,
        };
        guard.end(ended.unwrap_or_else(Loss::end));
        let pause = match ended {
            Ok(end) => {
                lock(&log).end(life, Instant::now(), end == StreamEnd::Truncated);
                losses = 0;
                (asked + REQUEST_INTERVAL).saturating_duration_since(Instant::now())
            }
            Err(loss) => {
                lock(&log).lose(loss, asked.elapsed());
                losses += 1;
                (PAUSE_AFTER_LOSS * losses).min(PAUSE_MAX)
            }
        };
        *lock(&slot) = Slot { asked, begun: None, pauses: true };
        sleep(pause).await;
    }
    *lock(&slot) = Slot { asked: Instant::now(), begun: None, pauses: true };
}

/// Reads one stream to its end, and calls `chunk` for each piece of it.
async fn read(plan: &Plan, guard: &mut StreamGuard, mut chunk: impl FnMut()) -> Result<StreamEnd, Loss> {
    let Request { method, path, headers, body, .. } = &plan.request;
    let request = plan.endpoint.request(method, path, headers, body.clone());
    let mut exchange = match http::send(&plan.endpoint, request, Receive::AtOnce).await {
        Ok(exchange) => exchange,
        Err(error) if error.cause() == OWN_LIMIT => return Err(Loss::NotSent),
        Err(error) => return Err(Loss::Failed(error.cause())),
    };
    let status = exchange.response.status();
    guard.answered(status.as_u16(), None);
    if !status.is_success() {
        return Err(Loss::Rejected(status.as_u16()));
    }
    loop {
        match exchange.response.body_mut().frame().await {
            Some(Ok(frame)) if frame.data_ref().is_some_and(|piece| !piece.is_empty()) => {
                guard.token();
                chunk();
            }
            Some(Ok(_)) => {}
            None => return Ok(StreamEnd::Completed),
            Some(Err(_)) => return Ok(StreamEnd::Truncated),
        }
    }
}
