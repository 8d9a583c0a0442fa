//! What the tests share: a server in this process, clients for it, and the vendors.

mod client;
mod server;
mod vendors;

pub(crate) use client::{Client, EventStream, FinishedStream};
pub(crate) use server::{CALL_STYLES, TestServer};
pub(crate) use vendors::{ScriptedVendor, unreachable_vendor, vendor};

use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine; reached only by a test that fails.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within [`TIMEOUT`].
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < TIMEOUT, "timed out waiting for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
