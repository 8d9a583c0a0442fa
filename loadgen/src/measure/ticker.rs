//! When probes are due.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Something that is due again and again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beat {
    /// When it is due first, after the origin.
    pub(super) first: Duration,
    pub(super) interval: Duration,
}

/// One beat has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tick {
    /// Whose, as a place in the list of beats.
    pub(super) beat: usize,
    /// When it was due, after the origin.
    pub(super) due: Duration,
}

/// Tells when beats are due, from a thread that does nothing else. Dropped, it tells no more.
///
/// An event loop's timers are as coarse as a millisecond and round up: probes that they send are late by
/// more than a healthy server takes to answer. A thread that sleeps is woken within tens of microseconds.
pub(super) struct Metronome {
    ticks: UnboundedReceiver<Tick>,
    _until_dropped: Sender<()>,
}

impl Metronome {
    /// Begins to tell when `beats` are due.
    pub(super) fn start(origin: Instant, beats: Vec<Beat>) -> Self {
        // Unbounded, and nevertheless small: what fills it is the schedule of what is to be sent.
        let (sender, ticks) = unbounded_channel();
        let (until_dropped, dropped) = channel::<()>();
        thread::spawn(move || {
            let mut next: Vec<Tick> =
                beats.iter().enumerate().map(|(beat, Beat { first, .. })| Tick { beat, due: *first }).collect();
            while let Some(tick) = next.iter_mut().min_by_key(|tick| tick.due) {
                let wait = (origin + tick.due).saturating_duration_since(Instant::now());
                if dropped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) || sender.send(*tick).is_err() {
                    return;
                }
                tick.due += beats[tick.beat].interval;
            }
        });
        Metronome { ticks, _until_dropped: until_dropped }
    }

    /// Waits for the next tick. There is none where there are no beats.
    pub(super) async fn tick(&mut self) -> Option<Tick> {
        self.ticks.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beats_come_in_the_order_in_which_they_are_due_and_never_early() {
        let ms = Duration::from_millis;
        let beats = vec![Beat { first: ms(5), interval: ms(4) }, Beat { first: ms(0), interval: ms(10) }];
        let origin = Instant::now();
        let mut metronome = Metronome::start(origin, beats);
        let mut seen = Vec::new();
        for _ in 0..6 {
            let tick = metronome.tick().await.unwrap();
            assert!(origin.elapsed() >= tick.due, "{tick:?}");
            seen.push((tick.beat, tick.due));
        }
        let expected = [(1, 0), (0, 5), (0, 9), (1, 10), (0, 13), (0, 17)];
        assert_eq!(seen, expected.map(|(beat, due)| (beat, ms(due))));
    }

    #[tokio::test]
    async fn without_beats_there_are_no_ticks() {
        assert_eq!(Metronome::start(Instant::now(), Vec::new()).tick().await, None);
    }
}
