//! Waking on time, to tens of microseconds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// Somebody who waits, until when, and in which order they came.
struct Sleeper {
    until: Instant,
    number: u64,
    wake: oneshot::Sender<()>,
}

/// Waits until `until`; not at all where that has passed.
///
/// An event loop's timers are as coarse as a millisecond and round up: a stream that they begin is late
/// by more than a healthy server takes to answer, and its first token would carry that. The alarm is a
/// thread, one for the whole program, that is woken within tens of microseconds.
pub async fn sleep_until(until: Instant) {
    static ALARM: OnceLock<Sender<(Instant, oneshot::Sender<()>)>> = OnceLock::new();
    if until <= Instant::now() {
        return;
    }
    let alarm = ALARM.get_or_init(|| {
        let (sender, receiver) = channel();
        thread::spawn(move || wake(&receiver));
        sender
    });
    let (wake, woken) = oneshot::channel();
    if alarm.send((until, wake)).is_err() || woken.await.is_err() {
        // The thread has panicked, which is on stderr. A coarse timer is better than none.
        tokio::time::sleep_until(until.into()).await;
    }
}

fn wake(sleepers: &Receiver<(Instant, oneshot::Sender<()>)>) {
    const LONG: Duration = Duration::from_secs(3600);
    let mut heap: BinaryHeap<Reverse<Sleeper>> = BinaryHeap::new();
    let mut number = 0;
    loop {
        let wait = heap.peek().map_or(LONG, |Reverse(next)| next.until.saturating_duration_since(Instant::now()));
        match sleepers.recv_timeout(wait) {
            Ok((until, wake)) => {
                number += 1;
                heap.push(Reverse(Sleeper { until, number, wake }));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while heap.peek().is_some_and(|Reverse(next)| next.until <= Instant::now()) {
            if let Some(Reverse(due)) = heap.pop() {
                // Whoever is gone does not want to be woken.
                let _ = due.wake.send(());
            }
        }
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.until, self.number).cmp(&(other.until, other.number))
    }
}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sleeper {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_woken_early_and_all_in_order() {
        let start = Instant::now();
        let sleepers = [90, 30, 60].map(|ms| async move {
            sleep_until(start + Duration::from_millis(ms)).await;
            (ms, start.elapsed())
        });
        let mut woken = futures_util::future::join_all(sleepers).await;
        woken.sort_by_key(|(_, at)| *at);
        assert_eq!(woken.iter().map(|(ms, _)| *ms).collect::<Vec<_>>(), [30, 60, 90]);
        assert!(woken.iter().all(|(ms, at)| *at >= Duration::from_millis(*ms)), "{woken:?}");
    }

    #[tokio::test]
    async fn a_sleeper_that_is_gone_holds_up_nobody() {
        let start = Instant::now();
        let given_up = sleep_until(start + Duration::from_millis(5));
        drop(tokio::time::timeout(Duration::from_millis(1), given_up).await);
        sleep_until(start + Duration::from_millis(10)).await;
        assert!(start.elapsed() >= Duration::from_millis(10));
    }
}
