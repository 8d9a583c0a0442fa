//! Streams that are held open: as many as asked for. One that ends is replaced. Chunks are pieces of the body as they
//! arrive, in whatever format.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::http::{self, Endpoint, OWN_LIMIT, Receive};
use crate::measure::{StreamEnd, StreamGuard, StreamLog};
use crate::numbers::in_millis;
use crate::traffic::Request;

/// Pause before a stream that was rejected or failed is asked for again, so that fast rejections are no flood.
const PAUSE_AFTER_LOSS: Duration = Duration::from_millis(500);

/// The least time between two requests for the same stream: one that ends at once is no reason for a flood.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Streams that are held open. Dropped, it closes them.
pub(super) struct HeldStreams {
    endpoint: Endpoint,
    request: Request,
    log: Arc<StreamLog>,
    held: Vec<(Arc<Mutex<Slot>>, AbortOnDropHandle<()>)>,
    totals: Arc<Mutex<Totals>>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Slot {
    asked: Instant,
    /// The first chunk of the present stream.
    first: Option<Instant>,
    /// Whether the request is not in flight, because the last one was lost.
    pauses: bool,
}

/// What all streams have counted so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    /// Streams that got their first chunk.
    pub(super) begun: u64,
    /// Streams that ended after their first chunk.
    pub(super) ended: u64,
    pub(super) chunks: u64,
    /// Rejections by HTTP status.
    pub(super) rejected: BTreeMap<u16, u64>,
    /// Failures by cause.
    pub(super) failed: BTreeMap<String, u64>,
    /// The longest time to a rejection or failure, in milliseconds.
    pub(super) slowest_loss_ms: f64,
    /// Requests that this process could not send.
    pub(super) not_sent: u64,
}

impl Totals {
    /// Requests that were rejected or failed.
    pub(super) fn lost(&self) -> u64 {
        self.rejected.values().sum::<u64>() + self.failed.values().sum::<u64>()
    }
}

/// How many streams flow and wait at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flow {
    /// Streams with their first chunk that have not ended.
    pub(super) started: u64,
    /// Streams that have waited for it longer than the given patience.
    pub(super) waiting: u64,
    /// Streams that have waited for less.
    pub(super) fresh: u64,
}

impl HeldStreams {
    /// None yet. They count in `log` too.
    pub(super) fn new(endpoint: Endpoint, request: Request, log: Arc<StreamLog>) -> Self {
        HeldStreams { endpoint, request, log, held: Vec::new(), totals: Arc::default() }
    }

    /// Opens streams until there are `count`, evenly over `over`.
    pub(super) async fn open(&mut self, count: usize, over: Duration) {
        let missing = count.saturating_sub(self.held.len());
        for _ in 0..missing {
            let slot = Arc::new(Mutex::new(Slot { asked: Instant::now(), first: None, pauses: false }));
            let (server, request) = (self.endpoint.clone(), self.request.clone());
            let reader = keep_open(server, request, slot.clone(), self.totals.clone(), self.log.clone());
            self.held.push((slot, AbortOnDropHandle::new(tokio::spawn(reader))));
            sleep(over / u32::try_from(missing).unwrap_or(u32::MAX)).await;
        }
    }

    /// Closes those that were opened last, until there are `count`.
    pub(super) fn close_down_to(&mut self, count: usize) {
        self.held.truncate(count);
    }

    pub(super) fn flow(&self, patience: Duration) -> Flow {
        let mut flow = Flow::default();
        for (slot, _) in &self.held {
            let slot = *slot.lock().unwrap_or_else(PoisonError::into_inner);
            match slot {
                Slot { first: Some(_), .. } => flow.started += 1,
                Slot { pauses: true, .. } => {}
                Slot { asked, .. } if asked.elapsed() >= patience => flow.waiting += 1,
                _ => flow.fresh += 1,
            }
        }
        flow
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why a stream has not begun.
enum Loss {
    Rejected(u16),
    Failed(&'static str),
    NotSent,
}

impl Loss {
    /// How its stream counts among those of the run.
    fn end(&self) -> StreamEnd {
        match self {
            Loss::Rejected(status) => StreamEnd::Refused(*status),
            Loss::Failed(cause) => StreamEnd::Failed(cause),
            Loss::NotSent => StreamEnd::Failed(OWN_LIMIT),
        }
    }
}

async fn keep_open(
    endpoint: Endpoint,
    request: Request,
    slot: Arc<Mutex<Slot>>,
    totals: Arc<Mutex<Totals>>,
    log: Arc<StreamLog>,
) {
    let set = |slot: &Mutex<Slot>, new: Slot| *slot.lock().unwrap_or_else(PoisonError::into_inner) = new;
    let count = |count: &mut dyn FnMut(&mut Totals)| count(&mut totals.lock().unwrap_or_else(PoisonError::into_inner));
    loop {
        let asked = Instant::now();
        set(&slot, Slot { asked, first: None, pauses: false });
        let mut first = None;
        let mut guard = StreamGuard::begin(&log, asked);
        let read = read(&endpoint, &request, &mut guard, || {
            if first.is_none() {
                first = Some(Instant::now());
                set(&slot, Slot { asked, first, pauses: false });
                count(&mut |totals| totals.begun += 1);
            }
            count(&mut |totals| totals.chunks += 1);
        })
        .await;
        guard.end(match &read {
            Ok(end) => *end,
            Err(loss) => loss.end(),
        });
        let Err(loss) = read else {
            count(&mut |totals| totals.ended += 1);
            set(&slot, Slot { asked, first: None, pauses: true });
            sleep(AGAIN_AFTER.saturating_sub(asked.elapsed())).await;
            continue;
        };
        let took = in_millis(asked.elapsed());
        count(&mut |totals| {
            match &loss {
                Loss::Rejected(status) => *totals.rejected.entry(*status).or_default() += 1,
                Loss::Failed(cause) => *totals.failed.entry((*cause).to_owned()).or_default() += 1,
                Loss::NotSent => totals.not_sent += 1,
            }
            totals.slowest_loss_ms = totals.slowest_loss_ms.max(took);
        });
        set(&slot, Slot { asked, first: None, pauses: true });
        sleep(PAUSE_AFTER_LOSS).await;
    }
}

/// Reads one stream to its end, and calls `chunk` for each piece of it. How it ended, or why it has not begun.
async fn read(
    endpoint: &Endpoint,
    request: &Request,
    guard: &mut StreamGuard,
    mut chunk: impl FnMut(),
) -> Result<StreamEnd, Loss> {
    let Request { method, path, headers, body, .. } = request;
    let sent = http::send(endpoint, endpoint.request(method, path, headers, body.clone()), Receive::AtOnce).await;
    let mut exchange = match sent {
        Ok(exchange) => exchange,
        Err(error) if error.cause() == OWN_LIMIT => return Err(Loss::NotSent),
        Err(error) => return Err(Loss::Failed(error.cause())),
    };
    let status = exchange.response.status();
    guard.answered(status.as_u16(), None);
    if !status.is_success() {
        return Err(Loss::Rejected(status.as_u16()));
    }
    let mut began = false;
    loop {
        match exchange.response.body_mut().frame().await {
            Some(Ok(frame)) if frame.data_ref().is_some_and(|piece| !piece.is_empty()) => {
                began = true;
                guard.token();
                chunk();
            }
            Some(Ok(_)) => {}
            None if began => return Ok(StreamEnd::Completed),
            None => return Err(Loss::Failed("ended without a chunk")),
            Some(Err(_)) if began => return Ok(StreamEnd::Truncated),
            Some(Err(_)) => return Err(Loss::Failed("broke off")),
        }
    }
}
