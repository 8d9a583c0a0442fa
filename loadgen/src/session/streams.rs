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
/// Time over which a number of streams is opened, so that it can be seen at which of them something happens.
const RAMP: Duration = Duration::from_millis(1_500);
/// The pause after each, for a few and for many.
const PAUSE_MAX: Duration = Duration::from_millis(50);
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// Streams that are opened at once if there are many: a thousand per second, as the servers' backlogs allow.
const BATCH_MAX: usize = 10;

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
        let (batch, pause) = pace(count - held.len());
        while held.len() < count {
            match asked.has_changed() {
                Ok(false) => {}
                Ok(true) => break,
                Err(_) => return,
            }
            held.extend((0..batch.min(count - held.len())).map(|_| open()));
            sleep(pause).await;
        }
        if held.len() == count && asked.changed().await.is_err() {
            return;
        }
    }
}

/// How many streams are opened at once to open `missing` of them, and the pause after that.
fn pace(missing: usize) -> (usize, Duration) {
    let pause = RAMP.div_f64(missing.max(1) as f64).clamp(PAUSE_MIN, PAUSE_MAX);
    let batches = RAMP.as_millis().div_ceil(pause.as_millis().max(1)) as usize;
    (missing.div_ceil(batches).clamp(1, BATCH_MAX), pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_streams_are_opened_one_by_one_and_many_within_seconds() {
        let takes = |missing: usize| {
            let (batch, pause) = pace(missing);
            (batch, pause * missing.div_ceil(batch) as u32)
        };
        assert_eq!(takes(1), (1, Duration::from_millis(50)));
        let (batch, time) = takes(45);
        assert!(batch == 1 && (1_400..1_600).contains(&time.as_millis()), "{time:?}");
        let (_, time) = takes(1_000);
        assert!((1_000..1_600).contains(&time.as_millis()), "{time:?}");
        assert_eq!(takes(5_000), (BATCH_MAX, Duration::from_secs(5)));
    }
}
