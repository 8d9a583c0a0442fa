//! A sleep that is accurate to tens of microseconds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// A waiting task, its time, and its number in order of arrival.
struct Sleeper {
    until: Instant,
    number: u64,
    wake: oneshot::Sender<()>,
}

/// Waits until `until`; not at all if that has passed.
///
/// An event loop's timers have a resolution of a millisecond and round up: a stream started by one is late by
/// more than a healthy server takes to answer, and its first token would include that. This uses one thread
/// for the whole program, which wakes within tens of microseconds.
pub async fn sleep_until(until: Instant) {
    static SLEEPER: OnceLock<Sender<(Instant, oneshot::Sender<()>)>> = OnceLock::new();
    if until <= Instant::now() {
        return;
    }
    let thread = SLEEPER.get_or_init(|| {
        let (sender, receiver) = channel();
        thread::spawn(move || wake(&receiver));
        sender
    });
    let (wake, woken) = oneshot::channel();
    if thread.send((until, wake)).is_err() || woken.await.is_err() {
        // The thread has panicked (see stderr). A coarse timer is better than none.
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
                // The task may have been dropped.
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
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_order_and_never_early() {
        let start = Instant::now();
        let woken = Arc::new(Mutex::new(Vec::new()));
        let sleepers = [240, 200, 220].map(|ms| {
            let woken = woken.clone();
            tokio::spawn(async move {
                sleep_until(start + Duration::from_millis(ms)).await;
                woken.lock().unwrap().push((ms, start.elapsed()));
            })
        });
        futures_util::future::join_all(sleepers).await;
        let woken = woken.lock().unwrap();
        assert_eq!(woken.iter().map(|(ms, _)| *ms).collect::<Vec<_>>(), [200, 220, 240]);
        assert!(woken.iter().all(|(ms, at)| *at >= Duration::from_millis(*ms)), "{woken:?}");
    }

    #[tokio::test]
    async fn a_dropped_sleeper_does_not_delay_others() {
        let start = Instant::now();
        let given_up = sleep_until(start + Duration::from_millis(5));
        drop(tokio::time::timeout(Duration::from_millis(1), given_up).await);
        sleep_until(start + Duration::from_millis(10)).await;
        assert!(start.elapsed() >= Duration::from_millis(10));
    }
}
