//! What a number of streams shows: whether the server is as when idle.

use super::seen::{Seen, UNKNOWN_PATH, no_answer};
use crate::numbers::in_millis;
use crate::result::{DiagnosisLevel, ProbeLevel};

/// What a level shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The server is as when idle.
    Good,
    /// All streams flow as fast as one alone, and checks are late.
    ChecksLate,
    /// Streams wait, are lost, or flow more slowly.
    StreamsSuffer,
}

/// The state of the server at this level.
pub(super) fn state(seen: &Seen, level: &DiagnosisLevel) -> State {
    // Streams that end are replaced, so that some are between two of them.
    let fewer = level.started * 10 < level.streams * 9;
    if level.waiting > 0 || level.lost > 0 || fewer || seen.is_slowed(level) || begins_late(seen, level) {
        State::StreamsSuffer
    } else if level.probes.iter().any(|(name, probe)| is_often_late(seen, name, probe)) {
        State::ChecksLate
    } else {
        State::Good
    }
}

/// Whether one in ten of a probe is late, or a quarter of it gets no answer.
pub(super) fn is_often_late(seen: &Seen, name: &str, probe: &ProbeLevel) -> bool {
    probe.sent > 0 && (probe.latency_ms.p90 >= seen.late_ms(name) || no_answer(probe) * 4 >= probe.sent)
}

/// Whether streams that begin take far longer than one alone.
pub(super) fn begins_late(seen: &Seen, level: &DiagnosisLevel) -> bool {
    const MARGIN_MS: f64 = 300.0;
    level.first_chunk_ms.is_some_and(|wait| wait > 3.0 * in_millis(seen.idle.first_chunk) + MARGIN_MS)
}

/// Whether every stream has its turn: none waits, and none was lost.
pub(super) fn all_flow(level: &DiagnosisLevel) -> bool {
    level.started >= level.streams && level.waiting + level.lost == 0
}

/// Whether a part of the requests for a path that does not exist is answered, and a part is not: one of several event
/// loops is blocked, and each connection belongs to one of them.
pub(super) fn is_partly_answered(level: &DiagnosisLevel) -> bool {
    level
        .probes
        .get(UNKNOWN_PATH)
        .is_some_and(|probe| no_answer(probe) * 10 >= probe.sent && probe.answered * 10 >= probe.sent && probe.sent > 0)
}
