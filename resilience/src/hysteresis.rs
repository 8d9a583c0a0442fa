//! A switch with hysteresis: on above one threshold, off below a lower one.

use std::sync::atomic::{AtomicBool, Ordering};

/// A switch with two thresholds: it turns on above the upper one and off only below the lower one.
///
/// With a single threshold, a value that fluctuates around it toggles the switch at every update, and a load balancer
/// that reads it takes the machine in and out of service each time.
///
/// ```
/// use resilience::Hysteresis;
///
/// let overloaded = Hysteresis::new(0.8, 0.5);
/// assert_eq!([0.7, 0.9, 0.7, 0.4].map(|load| overloaded.update(load)), [false, true, true, false]);
/// ```
#[derive(Debug)]
pub struct Hysteresis {
    on_above: f64,
    off_below: f64,
    on: AtomicBool,
}

impl Hysteresis {
    /// A switch that is off.
    #[must_use]
    pub const fn new(on_above: f64, off_below: f64) -> Self {
        Hysteresis { on_above, off_below, on: AtomicBool::new(false) }
    }

    /// Takes a new value and returns whether the switch is on now.
    pub fn update(&self, value: f64) -> bool {
        let was_on = self.on.load(Ordering::Relaxed);
        let on = if was_on { value >= self.off_below } else { value > self.on_above };
        self.on.store(on, Ordering::Relaxed);
        on
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against the definition: the last value outside the two thresholds decides.
        #[test]
        fn the_last_value_outside_the_thresholds_decides(values in proptest::collection::vec(0.0_f64..1.0, 1..50)) {
            let switch = Hysteresis::new(0.8, 0.5);
            for end in 1..=values.len() {
                let decisive = values[..end].iter().rev().find(|value| **value > 0.8 || **value < 0.5);
                let expected = decisive.is_some_and(|value| *value > 0.8);
                prop_assert_eq!(switch.update(values[end - 1]), expected);
            }
        }
    }
}
