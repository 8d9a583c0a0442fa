use std::thread;
use std::time::Duration;

use axum::Json;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use wire::health::{HealthProbe, HealthReport};

use crate::errors::Failure;

/// The work of the source's detector.
const PROBE_WORK: Duration = Duration::from_millis(10);

/// How long `/health` waits for a thread: it must answer also when there is none.
const PROBE_BOUND: Duration = Duration::from_secs(1);

/// `GET /debug/health-sync`: the same work as in broken-server, without a pool.
pub(super) async fn sync() -> Json<HealthProbe> {
    Json(HealthProbe::sync())
}

/// `GET /debug/health-async`
pub(super) async fn r#async() -> Json<HealthProbe> {
    Json(HealthProbe::r#async())
}

/// `GET /health`: times a little work in tokio's blocking pool. No stream uses it here, but name
/// look-ups and files do, and whatever somebody adds.
// ANCHOR: wrong-canary
// ANCHOR: coordinated-omission
pub(super) async fn report() -> Result<Json<HealthReport>, Failure> {
    let asked = Instant::now();
    // FIX wrong-canary: it asks the pool that everything here shares, and bounds its own wait.
    // FIX coordinated-omission: work that blocks has a thread of its own, and the event loop runs on.
    match timeout(PROBE_BOUND, spawn_blocking(|| thread::sleep(PROBE_WORK))).await {
        Ok(Ok(())) => Ok(Json(HealthReport::answered(asked.elapsed().as_secs_f64()))),
        Ok(Err(_)) => Err(Failure::Internal("the health probe's thread ended")),
        Err(_) => Ok(Json(HealthReport::no_answer_within(PROBE_BOUND.as_secs_f64()))),
    }
}
// ANCHOR_END: coordinated-omission
// ANCHOR_END: wrong-canary
