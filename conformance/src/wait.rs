//! Waiting for a condition that has to come true.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

/// Longest that anything here is waited for: far over what any of it takes, so that a slow machine
/// is no failure, and far under "for ever", so that a hang is one.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// How often a condition is looked at.
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
            bail!("waited {TIMEOUT:?} for this: {what}; now: {}", state());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
