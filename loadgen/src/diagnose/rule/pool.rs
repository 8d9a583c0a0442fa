//! Some streams flow, and the others wait until one of them ends.

use crate::diagnose::finding::{Finding, PID};
use crate::diagnose::seen::{Collapse, HEALTH, KEPT_CONNECTION, Seen, UNKNOWN_PATH};
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind, DiagnosisLevel};

/// Threads per second by which a pool grows that is said to grow: .NET adds one or two.
const GROWS_FROM: f64 = 0.5;

pub(super) fn find(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel) -> Finding {
    if collapse.slope() >= GROWS_FROM && collapse.begun > collapse.ended + 1 && seen.hangs(HEALTH) {
        return growing_pool(seen, collapse, worst);
    }
    let Some(plateau) = collapse.plateau() else { return Finding::inconclusive() };
    let free = seen.event_loop_is_free();
    let finding = if free && seen.hangs(HEALTH) {
        Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::InnerPool), Confidence::High)
    } else if free {
        behind_the_event_loop(seen, collapse, worst, plateau)
    } else if seen.hangs(UNKNOWN_PATH) {
        in_front_of_all(seen, worst, plateau)
    } else {
        return Finding::inconclusive();
    };
    let mut finding = finding.limit(plateau, plateau);
    finding.evidence.insert(0, flow(collapse, worst, plateau));
    finding
}

/// `40 of 64 streams flowed, the others waited`
fn flow(collapse: &Collapse, worst: &DiagnosisLevel, plateau: u64) -> String {
    let others = if worst.lost > worst.waiting { "were rejected or failed" } else { "waited for their first chunk" };
    let seconds = collapse.started.len() / 4;
    let next = match (collapse.begun, collapse.ended) {
        (0, 0) => format!("; none ended and none began in {seconds} s"),
        (begun, ended) => format!("; in {seconds} s, {ended} ended and {begun} began"),
    };
    let mut text = format!("{plateau} of {} streams flowed and the others {others}{next}", worst.streams);
    let rejected = collapse.rejected.iter().map(|(status, count)| format!("{status}: {count}"));
    let failed = collapse.failed.iter().map(|(cause, count)| format!("{cause}: {count}"));
    let lost: Vec<_> = rejected.chain(failed).collect();
    if !lost.is_empty() {
        text += &format!(" ({})", lost.join(", "));
    }
    text
}

fn growing_pool(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel) -> Finding {
    let at_first = collapse.started.first().copied().unwrap_or_default();
    let finding = Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::GrowingPool), Confidence::High);
    let mut finding = finding.limit(at_first, at_first);
    finding.evidence.push(format!(
        "{at_first} of {} streams flowed at first, and {:.1} more each second, although only {} ended",
        worst.streams,
        collapse.slope(),
        collapse.ended
    ));
    if seen.is_fast(UNKNOWN_PATH) { finding } else { finding.at_most(Confidence::Medium, PID) }
}

/// Every probe is fast, so the limit is where only the streams pass: at the vendor, before it, or in a pool that no
/// probe needs.
fn behind_the_event_loop(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel, plateau: u64) -> Finding {
    /// A rejection that comes sooner was nobody's time-out.
    const AT_ONCE_MS: f64 = 1_000.0;
    let threads = worst.threads.zip(seen.levels.first().and_then(|level| level.threads));
    let grown = threads.map(|(now, before)| now.saturating_sub(before));
    if grown.is_some_and(|grown| grown * 10 >= plateau * 7 && grown >= 3) {
        return Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::InnerPool), Confidence::High);
    }
    let rejects = worst.lost > worst.waiting && collapse.slowest_loss_ms < AT_ONCE_MS;
    let form = if rejects { DiagnosisForm::Vendor } else { DiagnosisForm::ClientPool };
    let finding = Finding::new(DiagnosisKind::UpstreamLimit, Some(form), Confidence::High);
    // A pool that the health check does not need looks the same, but for its threads.
    if grown.is_none() && !rejects { finding.at_most(Confidence::Medium, PID) } else { finding }
}

/// Nothing is answered any more, so the limit is in front of all routes.
fn in_front_of_all(seen: &Seen, worst: &DiagnosisLevel, plateau: u64) -> Finding {
    const WORKER_SERVERS: [&str; 8] =
        ["gunicorn", "waitress", "werkzeug", "jetty", "apache", "unicorn", "puma", "basehttp"];
    const LOOP_SERVERS: [&str; 5] = ["uvicorn", "hypercorn", "daphne", "granian", "kestrel"];
    let server = seen.idle.header("server").to_ascii_lowercase();
    let named = |names: &[&str]| names.iter().any(|name| server.contains(name));
    // Connections belong to one loop each: with one of several loops blocked, a part of the probes hangs.
    let partly = seen.levels.iter().any(|level| {
        let unknown = level.probes.get(UNKNOWN_PATH);
        level.streams < plateau && unknown.is_some_and(|probe| probe.timed_out > 0 && probe.timed_out < probe.sent)
    });
    let worker =
        || Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::WorkerPerRequest), Confidence::High);
    let event_loop = || Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High);
    let processes = "--platform NAME: one worker for each request and a blocked event loop look the same from outside";
    let _ = worst;
    if partly || named(&LOOP_SERVERS) {
        event_loop()
    } else if named(&WORKER_SERVERS) || (plateau > 1 && seen.hangs(KEPT_CONNECTION)) {
        if named(&WORKER_SERVERS) { worker() } else { worker().at_most(Confidence::Medium, processes) }
    } else {
        event_loop().at_most(Confidence::Medium, processes)
    }
}
