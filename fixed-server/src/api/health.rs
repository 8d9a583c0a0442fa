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

/// How long `/health` waits for a thread: it must answer even if there is none.
const PROBE_BOUND: Duration = Duration::from_secs(1);

/// `GET /debug/health-sync`: the same work as in broken-server, without a pool.
pub(super) async fn sync() -> Json<HealthProbe> {
    Json(HealthProbe::sync())
}

/// `GET /debug/health-async`
pub(super) async fn r#async() -> Json<HealthProbe> {
    Json(HealthProbe::r#async())
}

/// `GET /health`: how long a small task takes in tokio's blocking pool. No stream uses the pool here, but name look-ups
/// and files do.
// ANCHOR: health-probe
pub(super) async fn report(State(state): State<Shared>) -> Result<Json<HealthReport>, ErrorResponse> {
    // Concurrent requests share one probe: a thread for each of them would fill the pool.
    let probe = async {
        loop {
            let took = state.pool_probe.join_or_start(probe_the_pool).await?;
            // A late probe has waited for a full pool. The next one tells whether it still is full.
            if took <= PROBE_BOUND {
                return Ok::<_, Abandoned>(took);
            }
        }
    };
    // FIX wrong-canary: it probes the pool that everything here shares, and bounds its own wait.
    match timeout(PROBE_BOUND, probe).await {
        Ok(Ok(took)) => Ok(Json(HealthReport::completed_in(took.as_secs_f64()))),
        Ok(Err(Abandoned)) => Err(Failure::Internal("the health probe's thread ended").into()),
        Err(_) => Ok(Json(HealthReport::timed_out_after(PROBE_BOUND.as_secs_f64()))),
    }
}

fn probe_the_pool(lead: Leader<Duration>) {
    let asked = Instant::now();
    // FIX coordinated-omission: blocking work runs on its own thread, and the event loop continues.
    spawn_blocking(move || {
        thread::sleep(PROBE_WORK);
        lead.finish(asked.elapsed());
    });
}
// ANCHOR_END: health-probe
