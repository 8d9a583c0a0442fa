//! `GET /live`

use axum::Json;
use wire::health::Liveness;

/// `GET /live`: whether this process can answer at all. Whoever asks restarts it if it cannot, and a restart cuts every
/// stream; so what a restart does not mend, such as a full pool or a slow vendor, must not count.
// ANCHOR: liveness-cascade
pub(super) async fn handle() -> Json<Liveness> {
    // FIX liveness-cascade: it needs nothing that requests use: no thread, no permit, no vendor, no database.
    Json(Liveness::alive())
}
// ANCHOR_END: liveness-cascade
