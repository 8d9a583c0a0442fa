//! `/health` and the two probes of `/debug`.

use std::thread;
use std::time::{Duration, Instant};

use actix_web::web::{Data, Json};
use resilience::{Abandoned, Leader, SingleFlight};
use tokio::time::timeout;
use wire::health::{HealthProbe, HealthReport};

use crate::errors::{ErrorResponse, Failure};
use crate::pool::Pool;
use crate::state::AppState;

/// As long as the work of the source's detector.
pub(crate) const PROBE_WORK: Duration = Duration::from_millis(10);

/// How long `/health` waits for a thread: it must answer even if none becomes free.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// `GET /debug/health-sync`: answered from the blocking pool, where frameworks run handlers that are not
/// async.
pub(super) async fn sync(state: Data<AppState>) -> Result<Json<HealthProbe>, ErrorResponse> {
    Ok(Json(state.pool.run(HealthProbe::sync).await?))
}

/// `GET /debug/health-async`: answered on the event loop.
pub(super) async fn r#async() -> Json<HealthProbe> {
    Json(HealthProbe::r#async())
}

/// The latest probe of one worker's pool.
#[derive(Debug, Default)]
pub(crate) struct PoolProbe(SingleFlight<Duration>);

/// `GET /health`: how long a little work takes in the pool that the streams use.
pub(super) async fn report(
    state: Data<AppState>,
    pool_probe: Data<PoolProbe>,
) -> Result<Json<HealthReport>, ErrorResponse> {
    // Requests at the same time share one probe: a thread for each of them would fill the pool.
    let probe = async {
        loop {
            let took = pool_probe.0.join_or_start(|lead| probe_pool(&state.pool, lead)).await?;
            // A late probe waited while the pool was full. The next one shows whether it still is.
            if took <= PROBE_TIMEOUT {
                return Ok::<_, Abandoned>(took);
            }
        }
    };
    match timeout(PROBE_TIMEOUT, probe).await {
        Ok(Ok(took)) => Ok(Json(HealthReport::completed_in(took.as_secs_f64()))),
        Ok(Err(Abandoned)) => Err(Failure::Internal("the health probe's thread ended").into()),
        Err(_) => Ok(Json(HealthReport::timed_out_after(PROBE_TIMEOUT.as_secs_f64()))),
    }
}

fn probe_pool(pool: &Pool, lead: Leader<Duration>) {
    let asked = Instant::now();
    pool.spawn(move || {
        thread::sleep(PROBE_WORK);
        lead.finish(asked.elapsed());
    });
}
