//! Counts recent events.

use std::time::Duration;

use tokio::time::Instant;

/// Slots of a window. Ten, as in Finagle's and tower's retry budgets: the count then covers at least nine tenths of the
/// span, and costs 80 bytes whatever the traffic.
const SLOTS: usize = 10;

/// The number of recent events.
///
/// Events are counted, and forgotten, in slots of a tenth of the span. The count is of the current slot and the nine
/// before it: of the last nine to ten tenths of the span.
#[derive(Debug)]
pub(crate) struct Window {
    origin: Instant,
    slot: Duration,
    /// The number of the current slot, counted from the origin.
    current: u128,
    counts: [u64; SLOTS],
}

impl Window {
    /// An empty window over `span`, at least 10 ns.
    pub(crate) fn new(span: Duration, now: Instant) -> Self {
        let slot = span / SLOTS as u32;
        debug_assert!(!slot.is_zero(), "a span of {span:?} is too short for {SLOTS} slots");
        Window { origin: now, slot, current: 0, counts: [0; SLOTS] }
    }

    /// Counts one event.
    pub(crate) fn add(&mut self, now: Instant) {
        self.advance_to(now);
        *self.slot_of(self.current) += 1;
    }

    /// The number of events in the window.
    pub(crate) fn count(&mut self, now: Instant) -> u64 {
        self.advance_to(now);
        self.counts.iter().sum()
    }

    /// Clears the slots that have passed. A time before one already seen counts as that one.
    fn advance_to(&mut self, now: Instant) {
        let slot = now.saturating_duration_since(self.origin).as_nanos() / self.slot.as_nanos();
        let passed = slot.saturating_sub(self.current).min(SLOTS as u128);
        self.current = self.current.max(slot);
        for back in 0..passed {
            *self.slot_of(self.current - back) = 0;
        }
    }

    fn slot_of(&mut self, number: u128) -> &mut u64 {
        &mut self.counts[(number % SLOTS as u128) as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a model that remembers every event.
        #[test]
        fn it_counts_the_events_of_the_last_ten_slots(
            steps in proptest::collection::vec((0_u64..1500, any::<bool>()), 1..200),
        ) {
            let origin = Instant::now();
            let mut window = Window::new(Duration::from_millis(1000), origin);
            let mut now = 0;
            let mut events = Vec::new();
            // Mostly small steps, sometimes one longer than the span.
            for (step, event) in steps {
                now += if step < 1400 { step / 10 } else { step };
                let at = origin + Duration::from_millis(now);
                if event {
                    window.add(at);
                    events.push(now);
                }
                let expected = events.iter().filter(|event| *event / 100 + 10 > now / 100).count();
                prop_assert_eq!(window.count(at), expected as u64, "at {} ms", now);
            }
        }
    }
}
