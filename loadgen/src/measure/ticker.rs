//! Ticks at which probes are due.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The ticks of one schedule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    /// When the first tick is due, after the origin.
    pub(super) first: Duration,
    pub(super) interval: Duration,
}

/// A tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tick {
    /// The index of its period.
    pub(super) period: usize,
    /// When it was due, after the origin.
    pub(super) due: Duration,
}

/// Sends ticks when they are due, from a thread of its own. Dropped, it stops.
///
/// An event loop's timers have a resolution of a millisecond and round up: probes would be late by more than a
/// healthy server takes to answer. A sleeping thread wakes within tens of microseconds.
pub(super) struct Ticker {
    ticks: UnboundedReceiver<Tick>,
    _until_dropped: Sender<()>,
}

impl Ticker {
    /// Starts ticking for these periods.
    pub(super) fn start(origin: Instant, periods: Vec<Period>) -> Self {
        // Unbounded but small: it is filled at the rate of the schedule.
        let (sender, ticks) = unbounded_channel();
        let (until_dropped, dropped) = channel::<()>();
        thread::spawn(move || {
            let mut next: Vec<Tick> =
                periods.iter().enumerate().map(|(period, Period { first, .. })| Tick { period, due: *first }).collect();
            while let Some(tick) = next.iter_mut().min_by_key(|tick| tick.due) {
                let wait = (origin + tick.due).saturating_duration_since(Instant::now());
                if dropped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) || sender.send(*tick).is_err() {
                    return;
                }
                tick.due += periods[tick.period].interval;
            }
        });
        Ticker { ticks, _until_dropped: until_dropped }
    }

    /// Waits for the next tick; `None` if there are no periods.
    pub(super) async fn tick(&mut self) -> Option<Tick> {
        self.ticks.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ticks_come_in_order_and_never_early() {
        let ms = Duration::from_millis;
        let periods = vec![Period { first: ms(5), interval: ms(4) }, Period { first: ms(0), interval: ms(10) }];
        let origin = Instant::now();
        let mut ticker = Ticker::start(origin, periods);
        let mut seen = Vec::new();
        for _ in 0..6 {
            let tick = ticker.tick().await.unwrap();
            assert!(origin.elapsed() >= tick.due, "{tick:?}");
            seen.push((tick.period, tick.due));
        }
        let expected = [(1, 0), (0, 5), (0, 9), (1, 10), (0, 13), (0, 17)];
        assert_eq!(seen, expected.map(|(period, due)| (period, ms(due))));
    }

    #[tokio::test]
    async fn without_periods_there_are_no_ticks() {
        assert_eq!(Ticker::start(Instant::now(), Vec::new()).tick().await, None);
    }
}
