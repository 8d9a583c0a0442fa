//! Times in which a server answered nothing at all, and then everything at once.

use std::time::Duration;

/// A silence that is shorter may be chance.
const LEAST: Duration = Duration::from_millis(300);
/// Answers that come within this time after it have waited for the same thing.
const BURST: Duration = Duration::from_millis(60);
/// Answers that end a silence together.
const TOGETHER: usize = 3;

/// One answer: when its request was sent, and when it came, both since the start.
pub(super) type Answer = (Duration, Duration);

/// The silences that ended among `answers`, each with its start and its length. Requests that were due meanwhile were
/// answered together at its end.
pub(super) fn silences(mut answers: Vec<Answer>) -> Vec<(Duration, Duration)> {
    answers.sort_unstable_by_key(|(_, came)| *came);
    let ended_by_all = |start: Duration, end: Duration| {
        let burst = answers.iter().filter(|(_, came)| (end..=end + BURST).contains(came));
        burst.filter(|(due, _)| *due > start && *due + LEAST / 3 < end).count() >= TOGETHER
    };
    let pairs = answers.windows(2).map(|pair| (pair[0].1, pair[1].1));
    pairs
        .filter(|(start, end)| *end - *start >= LEAST && ended_by_all(*start, *end))
        .map(|(start, end)| (start, end - start))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Three kinds of probes, ten times a second each, answered in a millisecond, but not within a stall.
    fn probes(stall: std::ops::Range<u64>) -> Vec<Answer> {
        let dues = (0..50).flat_map(|tick| [tick * 100, tick * 100 + 30, tick * 100 + 60]);
        dues.map(|due| (at(due), at(if stall.contains(&due) { stall.end } else { due } + 1))).collect()
    }

    #[test]
    fn a_stall_is_a_silence_that_ends_for_all() {
        let found = silences(probes(1_000..3_000));
        let [(start, length)] = found[..] else { panic!("{found:?}") };
        assert!(
            (900..=1_000).contains(&start.as_millis()) && (1_990..2_100).contains(&length.as_millis()),
            "{found:?}"
        );
        assert_eq!(silences(probes(0..0)), [], "all are answered at once");
    }

    #[test]
    fn requests_that_wait_for_turns_are_no_stall() {
        // One answer each 400 ms, in order.
        let turns = (0..20).map(|turn| (at(turn * 100), at(turn * 400))).collect();
        assert_eq!(silences(turns), []);
    }
}
