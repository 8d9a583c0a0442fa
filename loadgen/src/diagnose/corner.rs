//! The corner: the exact number of streams from which on the server is no longer as when idle, looked for around the
//! number that the rule has found.

use std::time::{Duration, Instant};

use super::finding::Finding;
use super::held::{Counts, HeldStreams};
use super::meter::Meter;
use super::news::DiagnoseNews;
use super::recovery;
use super::seen::{Corner, Seen};
use super::state::{State, all_flow, state};
use crate::result::{DiagnosisForm, DiagnosisKind, DiagnosisLevel};

/// How long each number of streams is held: single late checks must not decide.
const HOLD: Duration = Duration::from_secs(2);

/// Whether the limit is a number whose corner can be seen: streams that are much longer than a number of them is held,
/// and one more of which waits, or makes checks wait.
pub(super) fn is_sharp(seen: &Seen, finding: &Finding) -> bool {
    let is_short = seen.idle.is_short();
    match finding.kind {
        DiagnosisKind::ThreadPoolHeld if finding.limit.is_some() => {
            finding.form != Some(DiagnosisForm::GrowingPool) && !is_short
        }
        DiagnosisKind::UpstreamLimit => {
            finding.limit.is_some() && seen.worst().is_some_and(|worst| worst.started < worst.streams) && !is_short
        }
        DiagnosisKind::ThreadPoolPerChunk => true,
        _ => false,
    }
}

/// What was seen around the limit.
pub(super) struct Around {
    pub(super) corner: Corner,
    /// The numbers of streams that were held.
    pub(super) levels: Vec<DiagnosisLevel>,
    /// What the streams counted, each time that they were opened anew.
    pub(super) counts: Vec<Counts>,
}

/// Looks for the corner around the limit that was found, until `until`. `news` is called for each number of streams that
/// is held.
pub(super) async fn find(
    meter: &Meter<'_>,
    seen: &Seen,
    finding: &Finding,
    until: Instant,
    mut news: impl FnMut(DiagnoseNews<'_>),
) -> Around {
    let guess = finding.limit.unwrap_or_default();
    // The wait for a thread for each chunk is short: typical checks show it, not the slowest.
    let by_typical_checks = finding.kind == DiagnosisKind::ThreadPoolPerChunk;
    let first_bad = seen.collapse.as_ref().and_then(|collapse| seen.levels.get(collapse.first_bad));
    let mut corner = Corner {
        good: seen.last_good().streams,
        bad: first_bad.map_or(guess, |level| level.streams),
        ..Corner::default()
    };
    corner.all_flowed = first_bad.is_some_and(all_flow);
    let (mut held, mut open, mut levels, mut counts) = (meter.streams(seen), 0, Vec::new(), Vec::new());
    while let Some(streams) = next(corner, guess) {
        if streams < open {
            counts.push(held.counts());
            held = meter.streams(seen);
            // Whether it has recovered is seen with the next number of streams.
            let _ = recovery::wait(meter, seen, until).await;
        }
        if Instant::now() + meter.takes(streams, HOLD) > until {
            break;
        }
        news(DiagnoseNews::Holding(streams));
        let level = meter.hold(&mut held, streams, HOLD).await;
        open = streams;
        news(DiagnoseNews::Level(&level));
        // A server that has ended meanwhile holds no stream, whatever its limit was.
        if meter.probes.refused(Duration::ZERO) {
            break;
        }
        corner = narrowed(seen, corner, &level, guess, by_typical_checks);
        levels.push(level);
        if held_is_used_up(&held) {
            break;
        }
    }
    counts.push(held.counts());
    Around { corner, levels, counts }
}

fn held_is_used_up(held: &HeldStreams) -> bool {
    let counts = held.counts();
    counts.used_up || counts.not_sent > 0
}

/// The number of streams to hold next: those next to the guess first, from below, and then the one in the middle. `None`
/// if there is none between the two.
fn next(corner: Corner, guess: u64) -> Option<u64> {
    let between = |streams: &u64| *streams > corner.good && *streams < corner.bad;
    let near = [guess.saturating_sub(1), guess, guess + 1].into_iter().find(between);
    near.or_else(|| Some(corner.good.midpoint(corner.bad)).filter(between))
}

/// With what was seen at one number of streams between the two.
fn narrowed(seen: &Seen, corner: Corner, level: &DiagnosisLevel, guess: u64, by_typical_checks: bool) -> Corner {
    let all_flow = all_flow(level);
    let is_good =
        if by_typical_checks { all_flow && !seen.health_waits(level) } else { state(seen, level) == State::Good };
    if is_good {
        return Corner { good: level.streams, ..corner };
    }
    // A few fewer may be what is left of streams that were closed: connections that a client has not given back.
    let far_fewer = level.started * 10 < guess * 7;
    let waits_with_room = corner.waits_with_room || (!all_flow && level.streams < guess && far_fewer);
    Corner { bad: level.streams, all_flowed: all_flow, waits_with_room, ..corner }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers that are tried, for a server whose first bad number is `first_bad`.
    fn tried(good: u64, bad: u64, guess: u64, first_bad: u64) -> Vec<u64> {
        let mut corner = Corner { good, bad, ..Corner::default() };
        let mut tried = Vec::new();
        while let Some(streams) = next(corner, guess) {
            tried.push(streams);
            if streams >= first_bad { corner.bad = streams } else { corner.good = streams }
        }
        assert_eq!((corner.good, corner.bad), (first_bad - 1, first_bad));
        tried
    }

    #[test]
    fn a_right_guess_needs_two_numbers() {
        assert_eq!(tried(32, 64, 40, 40), [39, 40]);
        assert_eq!(tried(32, 64, 40, 41), [39, 40, 41]);
        assert_eq!(tried(32, 64, 33, 33), [33]);
        assert!(tried(1, 2, 2, 2).is_empty(), "it is known");
    }

    #[test]
    fn a_wrong_guess_ends_at_the_corner_as_well() {
        assert_eq!(tried(32, 64, 40, 57), [39, 40, 41, 52, 58, 55, 56, 57]);
        assert_eq!(tried(32, 64, 40, 34), [39, 35, 33, 34]);
    }

    #[test]
    fn far_fewer_streams_than_before_have_room_and_wait_all_the_same() {
        let before = Corner { good: 64, bad: 128, ..Corner::default() };
        let begun = |started| {
            let level = DiagnosisLevel { streams: 99, started, waiting: 99 - started, ..DiagnosisLevel::default() };
            narrowed(&Seen::default(), before, &level, 100, false)
        };
        assert_eq!(begun(12), Corner { bad: 99, waits_with_room: true, ..before });
        assert_eq!(begun(90), Corner { bad: 99, ..before }, "some connections are not given back yet");
    }
}
