//! Mistake `liveness-cascade`.
//!
//! What is wrong: the liveness probe waits for a thread of the blocking pool. When streams hold them all, it is not
//! answered, although the server works and every stream flows.
//! Symptom: from as many streams as pool threads on, a supervisor that probes `/live` restarts the server again and
//! again. Each restart cuts all streams; their clients come back together and fill the pool anew.
//! Fix: fixed-server/src/api/live.rs, which touches nothing that requests use.
//! Source: 000, step 1, whose health check goes through a pool without a time limit, and 003, section 6, whose liveness
//! probe is right: it does nothing.

use actix_web::web::{Data, Json};
use wire::health::Liveness;

use crate::api::{self, Checks, Routes};
use crate::errors::ErrorResponse;
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::pool_exhaustion::PoolExhaustion;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "liveness-cascade",
    group: Group::Operations,
    symptom: "from as many streams as pool threads on, /live hangs, and a supervisor's restarts cut streams that flow",
    routes: |_| Ok(routes()),
    ..Mistake::USUAL
};

fn routes() -> Routes {
    api::routes_with(PoolExhaustion, Checks::default().live(live))
}

// ANCHOR: liveness-cascade
/// As any handler of a framework that runs handlers in its pool unless they are async.
async fn live(state: Data<AppState>) -> Result<Json<Liveness>, ErrorResponse> {
    // MISTAKE liveness-cascade: a full pool is no reason for a restart, but here it looks like a dead process.
    Ok(Json(state.pool.run(Liveness::alive).await?))
}
// ANCHOR_END: liveness-cascade
