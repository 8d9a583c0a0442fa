//! How long the next restart waits.

use std::time::Duration;

use super::rules::BackOffRules;

/// The wait of the next restart.
#[derive(Debug)]
pub(super) struct BackOff {
    rules: BackOffRules,
    next: Duration,
}

impl BackOff {
    pub(super) fn new(rules: BackOffRules) -> Self {
        BackOff { rules, next: Duration::ZERO }
    }

    /// How long the restart of a program waits that ran for `ran`.
    pub(super) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= self.rules.reset_after {
            self.next = Duration::ZERO;
        }
        let wait = self.next;
        self.next = if wait.is_zero() { self.rules.first } else { wait.saturating_mul(2) }.min(self.rules.max);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_restart_is_immediate_and_later_ones_wait_twice_as_long_each_time() {
        let mut back_off = BackOff::new(BackOffRules::default());
        let waits: Vec<_> = (0..8).map(|_| back_off.after(SECOND).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn a_program_that_ran_for_long_is_restarted_without_a_wait() {
        let mut back_off = BackOff::new(BackOffRules::default());
        let ran = [SECOND, SECOND, 599 * SECOND, 600 * SECOND, SECOND];
        assert_eq!(ran.map(|ran| back_off.after(ran).as_secs()), [0, 10, 20, 0, 10]);
    }
}
