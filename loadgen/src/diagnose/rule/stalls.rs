//! All of the server stands still now and then, whatever the number of streams.

use std::time::Duration;

use super::clues::{is_full, process_is_the_servers};
use crate::diagnose::finding::{Finding, PID};
use crate::diagnose::seen::Seen;
use crate::numbers::{in_millis, millis};
use crate::result::{Confidence, DiagnosisKind, DiagnosisLevel};

/// Stalls from which on it is no chance.
const STALLS: usize = 2;
/// No process waits for so long for its turn on a full machine.
const OTHERS_TURN: Duration = Duration::from_secs(1);

pub(super) fn find(seen: &Seen) -> Option<Finding> {
    let longest = seen.stalls.iter().map(|stall| stall.length).max()?;
    let found = seen.stalls.len();
    let finding = Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High);
    let mut finding = if found < STALLS {
        finding.at_most(Confidence::Low, "a longer --budget, to see whether it happens again")
    } else if machine_was_full(seen) {
        let most = if longest < OTHERS_TURN { Confidence::Low } else { Confidence::Medium };
        finding.at_most(most, "a machine with processors to spare: all of them were in use")
    } else if is_idle(seen) {
        finding
    } else {
        finding.at_most(Confidence::Medium, PID)
    };
    let mut streams: Vec<u64> = seen.stalls.iter().map(|stall| stall.streams).collect();
    streams.dedup();
    let streams: Vec<String> = streams.iter().map(u64::to_string).collect();
    let times = if found == 1 { "once".to_owned() } else { format!("{found} times") };
    finding.evidence.push(format!(
        "{times}, nothing at all was answered for up to {}, and then everything at once: with {} streams",
        millis(in_millis(longest)),
        streams.join(", "),
    ));
    Some(finding)
}

/// Whether the processors were all in use when it stood still: it may have been others' turn.
fn machine_was_full(seen: &Seen) -> bool {
    let stood_still = |level: &&DiagnosisLevel| seen.stalls.iter().any(|stall| stall.streams == level.streams);
    seen.levels.iter().filter(stood_still).any(|level| is_full(seen, level))
}

/// Whether the server's processes are known, and hardly use the processor.
fn is_idle(seen: &Seen) -> bool {
    const IDLE: f64 = 0.5;
    process_is_the_servers(seen)
        && !seen.levels.is_empty()
        && seen.levels.iter().all(|level| level.cpu_cores.is_some_and(|cores| cores < IDLE))
}
