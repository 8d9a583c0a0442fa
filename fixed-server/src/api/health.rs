//! `/health` and the two probes of `/debug`

use std::thread;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use resilience::{Abandoned, Leader};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use wire::health::{HealthProbe, HealthReport};

use crate::errors::{ErrorResponse, Failure};
use crate::state::Shared;

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

/// `GET /health`: how long a little work takes in tokio's blocking pool. No stream uses it here, but name
/// look-ups and files do, and whatever somebody adds.
// ANCHOR: wrong-canary
// ANCHOR: coordinated-omission
pub(super) async fn report(State(state): State<Shared>) -> Result<Json<HealthReport>, ErrorResponse> {
    // One probe at a time, for all who ask meanwhile: a thread for each of them would fill the pool.
    let probe = async {
        loop {
            let took = state.pool_probe.join_or_start(probe_the_pool).await?;
            // One that was late has waited for a pool that was full: whether it still is, the next one tells.
            if took <= PROBE_BOUND {
                return Ok::<_, Abandoned>(took);
            }
        }
    };
    // FIX wrong-canary: it asks the pool that everything here shares, and bounds its own wait.
    match timeout(PROBE_BOUND, probe).await {
        Ok(Ok(took)) => Ok(Json(HealthReport::completed_in(took.as_secs_f64()))),
        Ok(Err(Abandoned)) => Err(Failure::Internal("the health probe's thread ended").into()),
        Err(_) => Ok(Json(HealthReport::timed_out_after(PROBE_BOUND.as_secs_f64()))),
    }
}

fn probe_the_pool(lead: Leader<Duration>) {
    let asked = Instant::now();
    // FIX coordinated-omission: work that blocks has a thread of its own, and the event loop runs on.
    spawn_blocking(move || {
        thread::sleep(PROBE_WORK);
        lead.finish(asked.elapsed());
    });
}
// ANCHOR_END: coordinated-omission
// ANCHOR_END: wrong-canary
