//! The streams that an arm holds: as many as asked for, at any time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::http::Endpoint;
use crate::measure::{LagLog, StreamLog};
use crate::traffic::{Exchange, LoadPlan, Request, RunningLoad, Schedule};

/// Least time between two requests in place of one another: a server that rejects at once would get thousands per second.
const PERIOD: Duration = Duration::from_secs(1);
/// Streams that are opened at once, and the pause after them: a thousand per second, as the servers' backlogs allow.
const BATCH: usize = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// Holds streams open, and replaces those that end. Dropped, it closes them.
pub(super) struct HeldStreams {
    asked: watch::Sender<u32>,
    _holder: AbortOnDropHandle<()>,
}

impl HeldStreams {
    /// None yet. Those that follow are sent to `server` and counted in `log`.
    pub(super) fn start(server: Endpoint, log: Arc<StreamLog>, lag: Arc<LagLog>) -> Self {
        let (asked, count) = watch::channel(0);
        let exchange = Exchange::new(server, Request::chat());
        // A load for each stream, so that each can be closed by itself.
        let one = LoadPlan { period: PERIOD, ..LoadPlan::new(exchange, Schedule::concurrency(1)) };
        let open = move || RunningLoad::start(one.clone(), log.clone(), lag.clone());
        HeldStreams { asked, _holder: AbortOnDropHandle::new(tokio::spawn(hold(count, open))) }
    }

    /// Holds `count` streams from now on: opens more, or closes those that were opened last, as clients that disconnect.
    pub(super) fn hold(&self, count: u32) {
        self.asked.send_replace(count);
    }
}

async fn hold(mut asked: watch::Receiver<u32>, open: impl Fn() -> RunningLoad) {
    let mut held: Vec<RunningLoad> = Vec::new();
    loop {
        let count = *asked.borrow_and_update() as usize;
        held.truncate(count);
        if held.len() == count {
            if asked.changed().await.is_err() {
                return;
            }
            continue;
        }
        let missing = count - held.len();
        held.extend((0..missing.min(BATCH)).map(|_| open()));
        sleep(PAUSE).await;
    }
}
