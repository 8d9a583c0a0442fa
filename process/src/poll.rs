//! Waiting for something that no event announces: the end of a child, a line that a thread reads.

use std::thread;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(5);

/// Calls `probe` until it returns something, at most for `timeout`.
pub(crate) async fn until<T>(timeout: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        if began.elapsed() >= timeout {
            return None;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// [`until`] for a thread that may block.
pub(crate) fn until_blocking<T>(timeout: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        if began.elapsed() >= timeout {
            return None;
        }
        thread::sleep(INTERVAL);
    }
}
