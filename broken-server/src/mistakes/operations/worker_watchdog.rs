//! Mistake `worker-watchdog`.
//!
//! What is wrong: one route of an asynchronous server calls a blocking client, under a watchdog that kills a worker whose
//! event loop is silent. While that call waits, nothing else runs on the worker: no stream, no check, and no heartbeat.
//! Symptom: a call that takes longer than the watchdog's time-out is never answered, and its client gets no status: the
//! connection is closed. Every stream of the worker breaks off at the same moment. The log says `worker timeout`, so
//! people raise the time-out, and the streams then stand still for longer.
//! What is right: the watchdog. An event loop that is blocked for so long is broken, and the streams do not survive it
//! because the time-out is raised.
//! Fix: fixed-server/src/upstream.rs, where the same call is awaited: however long it takes, heartbeats go on.
//! Source: 002, cause 1, which raises the time-out from 30 to 300 s.

use std::time::Duration;

use bytes::Bytes;

use crate::api;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::settings::Settings;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "worker-watchdog",
    group: Group::Operations,
    symptom: "one call that takes longer than --worker-timeout, and the worker is killed with all of its streams",
    limits: true,
    routes: |_| Ok(api::routes(WorkerWatchdog)),
    worker_timeout: |settings| Ok(worker_timeout(settings)),
    ..Mistake::USUAL
};

/// The default of gunicorn.
const WORKER_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct WorkerWatchdog;

// ANCHOR: worker-watchdog
/// Streams are asynchronous, as in the control.
impl Steps for WorkerWatchdog {
    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        let limit = (state.limits.call_timeout, UpstreamFailure::CallTimeout);
        // MISTAKE worker-watchdog: there is no `.await` in here, so the event loop waits for the vendor's answer, and no
        // limit around it can end that wait.
        let ask_vendor = || async { state.blocking.whole(&call) };
        let (answer, _active) = self.in_order(state, &call, limit, ask_vendor).await?;
        Ok(answer)
    }
}
// ANCHOR_END: worker-watchdog

fn worker_timeout(settings: &Settings) -> Option<Duration> {
    settings.worker_timeout.map_or(Some(WORKER_TIMEOUT), |given| given.0)
}
