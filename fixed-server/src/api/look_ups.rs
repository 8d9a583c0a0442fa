//! `/debug/resolve` and `/debug/read-file`

use axum::Json;
use axum::extract::State;
use tokio::{fs, net};
use wire::health::{FileProbe, ResolveProbe};

use crate::errors::{ErrorResponse, Failure};
use crate::state::Shared;

/// A name that needs the system's resolver but no network.
const NAME: &str = "localhost";

/// A small file that every Unix has.
const FILE: &str = "/etc/hosts";

// ANCHOR: hidden-pool-users
/// `GET /debug/resolve`
pub(super) async fn resolve(State(state): State<Shared>) -> Result<Json<ResolveProbe>, ErrorResponse> {
    // FIX hidden-pool-users: a look-up every few seconds needs a thread, not each request; and no stream holds one.
    let look_up = async { Ok(net::lookup_host((NAME, 0)).await?.map(|address| address.ip()).collect()) };
    let found = state.look_ups.addresses.get(look_up, Vec::clone).await;
    Ok(Json(ResolveProbe::new(found.map_err(|_| Failure::Internal("a name could not be resolved"))?)))
}

/// `GET /debug/read-file`
pub(super) async fn read_file(State(state): State<Shared>) -> Result<Json<FileProbe>, ErrorResponse> {
    let length = state.look_ups.file.get(fs::read(FILE), Vec::len).await;
    Ok(Json(FileProbe::new(length.map_err(|_| Failure::Internal("a file could not be read"))?)))
}
// ANCHOR_END: hidden-pool-users
