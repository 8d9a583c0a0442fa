//! Waits for a condition.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

/// Longest wait in these tests: far longer than anything takes on a slow machine, and short enough for a hang to
/// fail.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// How often a condition is checked.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `condition` holds.
///
/// # Errors
/// When it does not within [`TIMEOUT`]; the message has `what` and the `state` at that time.
pub async fn until(
    what: &str,
    mut condition: impl FnMut() -> bool,
    state: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        if Instant::now() > deadline {
            bail!("timed out after {TIMEOUT:?} waiting for: {what}; now: {}", state());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
