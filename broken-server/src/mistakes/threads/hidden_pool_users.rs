//! Mistake `hidden-pool-users`.
//!
//! What is wrong: "our handlers are async". They are, and still look up names and read files in the blocking
//! pool, because the system has no other way: tokio hides it behind `.await`. And the streams hold that pool.
//! Symptom: with as many streams as pool threads, `/debug/resolve` and `/debug/read-file` hang as
//! `/debug/health-sync` does. In a real server it is the next database connection, or the log.
//! Fix: fixed-server/src/api/look_ups.rs, where the answers are cached; and no stream holds a thread there.
//! The control has the same two routes. Its streams do not use the pool, so they are as fast as idle.
//! Source: none; all sources call an async handler safe.

use std::sync::Arc;

use actix_web::web::Json;
use tokio::{fs, net};
use wire::health::{FileProbe, ResolveProbe};

use crate::api::{self, Routes};
use crate::errors::{ErrorResponse, Failure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::pool_exhaustion::PoolExhaustion;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "hidden-pool-users",
    group: Group::Threads,
    symptom: "with as many streams as pool threads, /debug/resolve and /debug/read-file hang, although they are async",
    routes: |_| Ok(routes()),
    ..Mistake::USUAL
};

/// A name that is resolved without the network, but by the system's resolver.
const NAME: &str = "localhost";

/// A small file that every Unix has.
const FILE: &str = "/etc/hosts";

pub(crate) fn routes() -> Routes {
    with_look_ups(api::routes(PoolExhaustion))
}

/// `routes`, and the two whose use of the pool is hidden.
pub(crate) fn with_look_ups(routes: Routes) -> Routes {
    Arc::new(move |config| {
        routes(config);
        config.service(api::get("/debug/resolve", resolve)).service(api::get("/debug/read-file", read_file));
    })
}

// ANCHOR: hidden-pool-users
// MISTAKE hidden-pool-users: each `.await` here waits for a thread of the pool that the streams hold.
async fn resolve() -> Result<Json<ResolveProbe>, ErrorResponse> {
    let found = net::lookup_host((NAME, 0)).await.map_err(|_| Failure::Internal("a name could not be resolved"))?;
    Ok(Json(ResolveProbe::new(found.map(|address| address.ip()).collect())))
}

async fn read_file() -> Result<Json<FileProbe>, ErrorResponse> {
    let text = fs::read(FILE).await.map_err(|_| Failure::Internal("a file could not be read"))?;
    Ok(Json(FileProbe::new(text.len())))
}
// ANCHOR_END: hidden-pool-users
