//! Nothing is answered on new connections: the limit is in front of all routes.

use super::clues::{Threads, is_busy, streams_flow, threads};
use crate::diagnose::finding::{Finding, PID};
use crate::diagnose::platform::{Known, Serving};
use crate::diagnose::seen::{Collapse, HEALTH, KEPT_CONNECTION, Seen, UNKNOWN_PATH};
use crate::diagnose::state::is_partly_answered;
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind};

/// The time within which a connection is closed, or a request rejected, that was nobody's time-out, in milliseconds.
pub(super) const AT_ONCE_MS: f64 = 1_000.0;
const PLATFORM: &str =
    "--platform NAME: one worker for each request and a blocked event loop look the same from outside";
const HAS_GROWN: &str = "the server's own figures of its threads: it got as many more as it has streams";
const LOOPS: &str = "the server's own figures of its connections: the connection that was kept may be one of a loop that \
                     is not blocked yet";
const FULL_QUEUE: &str = "the server's log: workers whose queue is full may close connections too";

/// Nothing is answered on new connections, so the limit is in front of all routes.
pub(super) fn in_front_of_all(seen: &Seen, limit: u64) -> Finding {
    let grown = threads(seen, limit);
    // Processes with several threads have a queue each, so that a part of the requests waits there too.
    let one_by_one = loops_are_blocked_one_by_one(seen, limit);
    if seen.keeps_connections && seen.is_fast(KEPT_CONNECTION) {
        return match grown {
            // A thread for each connection: the one that was kept has its own.
            Threads::Grown => worker(),
            Threads::Unknown | Threads::Enough => connections(seen, Confidence::Medium),
            Threads::TooFew if one_by_one => connections(seen, Confidence::High).at_most(Confidence::Medium, LOOPS),
            Threads::TooFew => connections(seen, Confidence::High),
        };
    }
    let serving = seen.platform.as_ref().and_then(Known::serving);
    if serving == Some(Serving::EventLoop) {
        match is_busy(seen) {
            _ if grown == Threads::Grown => event_loop().at_most(Confidence::Medium, HAS_GROWN),
            Some(true) => event_loop().at_most(Confidence::Medium, "a profile of the server: it is busy as well"),
            _ => event_loop(),
        }
    } else if matches!(serving, Some(Serving::Workers | Serving::Unlimited)) {
        let certain = grown == Threads::Grown || !(one_by_one && seen.keeps_connections);
        if certain { worker() } else { worker().at_most(Confidence::Medium, PID) }
    } else if one_by_one {
        if grown == Threads::Grown { event_loop().at_most(Confidence::Medium, PLATFORM) } else { event_loop() }
    } else if grown == Threads::Grown {
        worker()
    } else if is_busy(seen) == Some(true) {
        let last_good = seen.last_good().streams.max(1);
        let cpu = Finding::new(DiagnosisKind::Cpu, None, Confidence::High).limit(last_good, last_good);
        cpu.at_most(Confidence::Medium, "a profile of the server: its workers may be full as well as busy")
    } else if limit > 1 && grown != Threads::TooFew || !seen.keeps_connections {
        worker().at_most(Confidence::Medium, PLATFORM)
    } else {
        event_loop().at_most(Confidence::Medium, PLATFORM)
    }
}

fn worker() -> Finding {
    Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::WorkerPerRequest), Confidence::High)
}

fn event_loop() -> Finding {
    Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High)
}

/// Whether a part of the requests got no answer with fewer streams than the limit: connections belong to one loop each.
pub(super) fn loops_are_blocked_one_by_one(seen: &Seen, limit: u64) -> bool {
    seen.levels.iter().filter(|level| level.started < limit).any(|level| {
        let of = |probe: &str| level.probes.get(probe).filter(|at| at.sent > 0);
        let kept_hangs = || of(KEPT_CONNECTION).is_some_and(|kept| kept.timed_out * 2 > kept.sent);
        let others_are_fast = || of(UNKNOWN_PATH).is_some_and(|at| !seen.is_late(UNKNOWN_PATH, at));
        is_partly_answered(level) || (seen.keeps_connections && kept_hangs() && others_are_fast())
    })
}

/// Whether new connections are closed at once, without any answer, while streams flow: those of streams, and of checks. How
/// sure that is: every program that runs out of connections or descriptors closes those of checks too.
pub(super) fn closes_new_connections(seen: &Seen, collapse: &Collapse) -> Option<Confidence> {
    let closes = streams_flow(seen)
        && collapse.rejected.is_empty()
        && !collapse.failed.is_empty()
        && collapse.slowest_loss_ms < AT_ONCE_MS;
    let (mut failed, mut sent) = (0, 0);
    for at in [HEALTH, UNKNOWN_PATH].into_iter().filter_map(|probe| seen.probe(probe)) {
        (failed, sent) = (failed + at.failed, sent + at.sent);
    }
    match closes {
        true if failed * 20 > sent && workers_may_be_full(seen) => Some(Confidence::Low),
        true if failed * 2 > sent => Some(Confidence::High),
        true if failed * 20 > sent => Some(Confidence::Medium),
        _ => None,
    }
}

/// Whether a stream waits while others are closed, and the connection that was kept is closed as well: a full queue in
/// front of workers does that, as connections that have ended neither wait nor close what is open.
fn workers_may_be_full(seen: &Seen) -> bool {
    let waits = seen.worst().is_some_and(|worst| worst.waiting > 0);
    let kept_fails = seen.probe(KEPT_CONNECTION).is_some_and(|kept| kept.failed * 2 > kept.sent);
    waits && kept_fails && seen.keeps_connections
}

/// No more connections: the most streams, and the connection that is kept.
pub(super) fn connections(seen: &Seen, confidence: Confidence) -> Finding {
    // A stream that ends makes room for what has waited longest, which may be a probe: so the most is the limit.
    let looks = seen.collapse.iter().flat_map(|collapse| &collapse.served).copied();
    let most = seen.levels.iter().map(|level| level.started).chain(looks).max().unwrap_or_default();
    let kept = u64::from(seen.keeps_connections);
    let finding = Finding::new(DiagnosisKind::ConnectionLimit, None, Confidence::High).limit(most + kept, most);
    let surer = if confidence == Confidence::Low { FULL_QUEUE } else { PID };
    finding.at_most(confidence, surer)
}
