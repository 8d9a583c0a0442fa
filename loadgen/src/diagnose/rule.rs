//! The rule: from what was seen to the kind of limit. Pure, so that it can be tested without a server.
//!
//! Each kind has a signature: which probes hang while streams wait, and whether all streams flow, flow more slowly, or
//! wait for others to end. A number that is somebody's default makes a finding surer; it never makes one.

mod clues;
mod cut_short;
mod front;
mod held;
mod not_streaming;
mod slowed;
mod stalls;

use crate::result::{Confidence, DiagnosisKind, DiagnosisLevel};

use super::finding::Finding;
use super::seen::{Collapse, Seen};

/// What limits the server.
pub(super) fn find(seen: &Seen) -> Finding {
    if let Some(finding) = not_streaming::find(seen) {
        return finding;
    }
    if let Some(finding) = cut_short::find(seen) {
        return finding;
    }
    if clues::generator_was_late(seen) {
        const LATE: &str = "a machine with more processors to spare: loadgen itself was late";
        return match clues::is_clear_all_the_same(seen) {
            true => of_the_load(seen).at_most(Confidence::Medium, LATE),
            false => Finding::inconclusive().surer(LATE),
        };
    }
    of_the_load(seen)
}

/// What the ramp and the collapse say.
fn of_the_load(seen: &Seen) -> Finding {
    let closes = |collapse: &_| front::closes_new_connections(seen, collapse).is_some();
    if clues::is_gone(seen) && !seen.collapse.as_ref().is_some_and(closes) {
        return Finding::inconclusive().surer("the server's log: it ended, or takes no connections any more");
    }
    match (&seen.collapse, seen.worst()) {
        (Some(collapse), Some(worst)) if some_are_not_served(collapse, worst) || held::grows(seen, collapse) => {
            held::find(seen, collapse, worst)
        }
        (Some(collapse), Some(worst)) => slowed::find(seen, collapse, worst),
        _ => stalls::find(seen).unwrap_or_else(|| none_found(seen)),
    }
}

/// Whether some streams wait or are lost, and not only at first.
fn some_are_not_served(collapse: &Collapse, worst: &DiagnosisLevel) -> bool {
    let waits = worst.waiting > 0 && collapse.plateau() != Some(worst.streams);
    waits || worst.lost > 0 || worst.started * 10 < worst.streams * 9
}

fn none_found(seen: &Seen) -> Finding {
    cut_short::by_time(seen).unwrap_or_else(|| Finding::new(DiagnosisKind::NoneFound, None, Confidence::High))
}

#[cfg(test)]
mod tests;
