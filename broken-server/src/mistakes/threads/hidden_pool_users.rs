//! Mistake `hidden-pool-users`.
//!
//! What is wrong: "our handlers are async". So they are, and look up names and read files through the
//! blocking pool all the same, because the system has no other way: tokio hides it behind `.await`. And
//! the streams hold that pool.
//! How it shows: with as many streams as pool threads, `/debug/resolve` and `/debug/read-file` hang as
//! `/debug/health-sync` does. In a real server it is the next connection to the database, or the log.
//! Where the fix is: fixed-server/src/api/look_ups.rs, where the answers are kept; and no stream holds a
//! thread there.
//! The control has these two routes as they are here. Its streams leave the pool alone, so there they
//! are as fast as idle.
//! Who says so: nobody among the sources; they call an async handler safe.

use std::sync::Arc;

use actix_web::web::Json;
use tokio::{fs, net};
use wire::health::{FileProbe, ResolveProbe};

use crate::api::{self, Routes};
use crate::errors::{ErrorResponse, Failure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::pool_exhaustion::PoolExhaustion;
use crate::settings::BLOCKING_THREADS;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "hidden-pool-users",
    group: Group::Threads,
    symptom: "with as many streams as pool threads, /debug/resolve and /debug/read-file hang although they are async",
    file: "src/mistakes/threads/hidden_pool_users.rs",
    blocking_threads: BLOCKING_THREADS,
    limits: false,
    own_flags: &[],
    routes: |_| Ok(routes()),
};

/// A name that needs no network, and the system's resolver nevertheless.
const NAME: &str = "localhost";

/// A small file that every Unix has.
const FILE: &str = "/etc/hosts";

pub(crate) fn routes() -> Routes {
    with_look_ups(api::routes(PoolExhaustion))
}

/// `routes`, and the two that use the pool without saying so.
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
