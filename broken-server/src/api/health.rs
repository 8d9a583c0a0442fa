use std::thread;
use std::time::{Duration, Instant};

use actix_web::web::{Data, Json};
use tokio::time::timeout;
use wire::health::{HealthProbe, HealthReport};

use crate::errors::Failure;
use crate::state::AppState;

/// The work of the source's detector.
pub(crate) const PROBE_WORK: Duration = Duration::from_millis(10);

/// How long `/health` waits for a thread: it must answer also when there is none.
const PROBE_BOUND: Duration = Duration::from_secs(1);

/// `GET /debug/health-sync`: answered from the blocking pool, as a framework would run a handler that
/// is not async.
pub(super) async fn sync(state: Data<AppState>) -> Result<Json<HealthProbe>, Failure> {
    state.pool.run(HealthProbe::sync).await.map(Json)
}

/// `GET /debug/health-async`: answered on the event loop.
pub(super) async fn r#async() -> Json<HealthProbe> {
    Json(HealthProbe::r#async())
}

/// `GET /health`: times a little work in the pool that the streams use.
pub(super) async fn report(state: Data<AppState>) -> Result<Json<HealthReport>, Failure> {
    let asked = Instant::now();
    match timeout(PROBE_BOUND, state.pool.run(|| thread::sleep(PROBE_WORK))).await {
        Ok(worked) => {
            worked?;
            Ok(Json(HealthReport::answered(asked.elapsed().as_secs_f64())))
        }
        Err(_) => Ok(Json(HealthReport::no_answer_within(PROBE_BOUND.as_secs_f64()))),
    }
}
