//! Some streams flow, and the others wait until one of them ends, or are rejected.

use super::clues::{
    Threads, descriptors_ended, each_request_has_a_thread, had_a_thread_each, process_is_the_servers, threads,
    upstream_connections,
};
use super::front::{AT_ONCE_MS, closes_new_connections, connections, in_front_of_all, loops_are_blocked_one_by_one};
use crate::diagnose::finding::{Finding, PID};
use crate::diagnose::seen::{Collapse, Corner, HEALTH, Seen, UNKNOWN_PATH, is_near};
use crate::diagnose::state::all_flow;
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind, DiagnosisLevel};

/// Threads per second by which a pool grows that is said to grow: .NET adds one or two.
const GROWS_FROM: f64 = 0.5;
const OWN_METRICS: &str =
    "the server's own figures of its pools, or a restart before: its threads may be those of a pool";

pub(super) fn find(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel) -> Finding {
    if let Some(finding) = rate_limited(seen, collapse).or_else(|| none_begins(collapse, worst)) {
        return finding;
    }
    if descriptors_ended(seen) && (seen.hangs(UNKNOWN_PATH) || worst.lost > 0) {
        return connections(seen, Confidence::High);
    }
    if let Some(confidence) = closes_new_connections(seen, collapse) {
        return connections(seen, confidence);
    }
    if grows(seen, collapse) {
        return growing_pool(seen, collapse);
    }
    let Some(limit) = limit(seen, collapse) else {
        if let Some(finding) = held_for_a_part_of_a_stream(seen) {
            return finding;
        }
        return Finding::inconclusive().collapsed_at(worst.streams).surer(
            if seen.is_fast(HEALTH) && !collapse.begin_as_others_end() {
                "the same without a limit of requests by their rate, if there is one: streams do not begin as others end"
            } else {
                "longer streams, such as a longer --body: no number of them stayed the same"
            },
        );
    };
    let finding = if seen.hangs(UNKNOWN_PATH) {
        in_front_of_all(seen, limit)
    } else if seen.hangs(HEALTH) {
        inner_pool(seen, limit)
    } else if seen.is_fast(HEALTH) && seen.is_fast(UNKNOWN_PATH) {
        behind_the_event_loop(seen, collapse, worst, limit)
    } else {
        Finding::inconclusive().surer("a quieter machine: the probes were neither fast nor late")
    };
    if finding.limit.is_some() { finding } else { finding.limit(limit, limit) }
}

/// The number of streams that are served: the corner where it fits what was seen with more streams, and never fewer than
/// have flowed all at once. Where checks alone are late at the corner, more streams may flow than that.
fn limit(seen: &Seen, collapse: &Collapse) -> Option<u64> {
    let plateau = collapse.plateau()?;
    let corner = collapse.corner.filter(|corner| !has_streams_left_over(seen, corner));
    let at_least = if corner.is_some_and(|corner| corner.all_flowed) { plateau } else { 0 };
    let corner = corner.and_then(|corner| corner.limit()).map(|corner| corner.max(at_least));
    let served = corner.filter(|corner| is_near(*corner, plateau)).unwrap_or(plateau);
    let flowed = seen.levels.iter().filter(|level| all_flow(level));
    Some(flowed.map(|level| level.streams).fold(served, u64::max))
}

/// Whether fewer streams flowed at the corner than with fewer before: the server still wrote some that had been closed.
fn has_streams_left_over(seen: &Seen, corner: &Corner) -> bool {
    let at_corner = |level: &&DiagnosisLevel| level.streams == corner.bad && !corner.all_flowed;
    seen.levels.iter().filter(at_corner).any(|level| level.started < corner.good)
}

/// Requests that are rejected, or wait, although there is room: they are limited by their rate, or by what this key has
/// used.
fn rate_limited(seen: &Seen, collapse: &Collapse) -> Option<Finding> {
    let with_room = collapse.corner.is_some_and(|corner| corner.waits_with_room) && seen.is_fast(HEALTH);
    let (said, surer) = match seen.rejected_when_idle {
        Some(status) => (
            format!("the server still answered {status} when the streams had been closed"),
            "another --api-key, or one without a limit: requests are limited by their rate",
        ),
        None if with_room => (
            "fewer streams than before began at once when all had been closed".to_owned(),
            "another --api-key, if requests are limited by their rate; or a look at what the server keeps of streams \
             whose client has disconnected, such as connections to its vendor",
        ),
        None if has_room_for_all(seen, collapse) => (
            "streams were rejected, and yet all that were asked for flowed at once for most of the time".to_owned(),
            "another --api-key, or one without a limit: requests may be rejected by their rate",
        ),
        None => return None,
    };
    let mut finding = Finding::inconclusive().surer(surer);
    finding.evidence.push(said);
    Some(finding)
}

/// Whether streams were rejected although as many as were asked for flow at once: their number is not why.
fn has_room_for_all(seen: &Seen, collapse: &Collapse) -> bool {
    let asked_for = seen.worst().filter(|worst| worst.lost > 0 && worst.waiting == 0).map(|worst| worst.streams);
    let is_rejected = !collapse.rejected.is_empty() && collapse.failed.is_empty();
    is_rejected && seen.is_fast(HEALTH) && asked_for.is_some() && collapse.plateau() == asked_for
}

/// Streams end, and none of those that wait begins in their place: they wait for something else than a place.
fn none_begins(collapse: &Collapse, worst: &DiagnosisLevel) -> Option<Finding> {
    const ENDED: u64 = 3;
    if collapse.begun > 0 || collapse.ended < ENDED || worst.waiting == 0 {
        return None;
    }
    let mut finding = Finding::inconclusive().surer(
        "the vendor's quota, or another --api-key: requests may be limited by their rate, or not answered any more",
    );
    finding
        .evidence
        .push(format!("{} streams ended, and none of {} began in their place", collapse.ended, worst.waiting));
    Some(finding)
}

/// Whether streams begin one by one although none ends: a pool that gets more threads while work waits.
pub(super) fn grows(seen: &Seen, collapse: &Collapse) -> bool {
    let rises = collapse.slope() >= GROWS_FROM && collapse.rises_steadily();
    (rises && collapse.begun > collapse.ended + 1 && seen.hangs(HEALTH)) || has_outgrown(seen, collapse)
}

/// Whether checks waited for long with fewer streams than are served now: a pool that was full then has more threads.
fn has_outgrown(seen: &Seen, collapse: &Collapse) -> bool {
    /// Longer than checks wait for single chunks, in milliseconds.
    const LONG_MS: f64 = 1_000.0;
    let (Some(full), Some(worst)) = (seen.levels.get(collapse.first_bad), seen.worst()) else { return false };
    let waited = |level: &DiagnosisLevel| {
        level.probes.get(HEALTH).is_some_and(|health| health.sent > 0 && health.latency_ms.p50 >= LONG_MS)
    };
    let flows = |level: &DiagnosisLevel| level.started >= level.streams && !seen.is_slowed(level);
    let before = collapse.first_bad < collapse.level;
    // Several pools of a fixed size are full one after another, and then streams wait as long as there are any.
    let stays = worst.waiting > 0 && collapse.plateau().is_some() && collapse.slope() < GROWS_FROM;
    before
        && !stays
        && waited(full)
        && waited(worst)
        && flows(full)
        // Of blocked event loops, those that are free answer, so the checks wait with fewer streams, too.
        && !loops_are_blocked_one_by_one(seen, worst.started)
        && !seen.is_slowed(worst)
        && worst.started * 2 >= full.streams * 3
}

fn growing_pool(seen: &Seen, collapse: &Collapse) -> Finding {
    let at_first = collapse.served.first().copied().unwrap_or_default();
    let last = collapse.served.last().copied().unwrap_or_default();
    let finding = Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::GrowingPool), Confidence::High);
    let mut finding = finding.limit(at_first, at_first);
    finding.evidence.push(if collapse.slope() >= GROWS_FROM {
        format!(
            "{at_first} streams flowed at first, and {:.1} more each second, although only {} ended",
            collapse.slope(),
            collapse.ended
        )
    } else {
        format!(
            "health checks waited with fewer streams, too, and by now {last} flow: there are more threads than before"
        )
    });
    let finding = if collapse.rises_steadily() { finding } else { finding.at_most(Confidence::Medium, OWN_METRICS) };
    match threads(seen, last) {
        Threads::Grown | Threads::Enough => finding,
        Threads::Unknown => finding.at_most(Confidence::Medium, PID),
        Threads::TooFew => finding.at_most(Confidence::Low, OWN_METRICS),
    }
}

/// The checks need a thread of a pool and get none, but the number of streams that flow changes: their requests hold a
/// thread for a part of the time, such as until they begin. The number of threads is known only where it is seen.
fn held_for_a_part_of_a_stream(seen: &Seen) -> Option<Finding> {
    let worst = seen.worst()?;
    let health = seen.probe(HEALTH).filter(|health| health.timed_out * 4 >= health.sent * 3)?;
    let is_clear = seen.event_loop_is_free() && !seen.is_slowed(worst) && health.failed == 0;
    let pool = Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::InnerPool), Confidence::High);
    let pool = Some(pool).filter(|_| is_clear)?;
    let threads = worst.threads.zip(seen.idle_process.threads).filter(|_| process_is_the_servers(seen));
    Some(match threads.map(|(now, before)| now.saturating_sub(before)) {
        Some(grown) if grown > 1 => pool.limit(grown, worst.started).at_most(Confidence::Medium, OWN_METRICS),
        _ => pool.collapsed_at(worst.started).at_most(Confidence::Medium, PID),
    })
}

/// The health check waits, and a path that needs no thread of a pool does not.
fn inner_pool(seen: &Seen, limit: u64) -> Finding {
    let pool = Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::InnerPool), Confidence::High);
    let pool = if seen.event_loop_is_free() { pool } else { pool.at_most(Confidence::Medium, PID) };
    match threads(seen, limit) {
        Threads::Grown => pool,
        // A health check that needs a connection of a full pool to a database looks the same, but for the threads.
        Threads::Unknown => pool.at_most(Confidence::Medium, PID),
        Threads::Enough => pool.at_most(Confidence::Medium, OWN_METRICS),
        Threads::TooFew if had_a_thread_each(seen) => held_for_a_part_of_a_stream(seen).unwrap_or(pool),
        Threads::TooFew => {
            let finding = Finding::new(DiagnosisKind::UpstreamLimit, Some(DiagnosisForm::ClientPool), Confidence::High);
            finding.at_most(Confidence::Medium, "the server's own figures of its pools of connections")
        }
    }
}

/// Every probe is fast, so the limit is where only the streams pass: at the vendor, before it, or in a pool that no
/// probe needs.
fn behind_the_event_loop(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel, limit: u64) -> Finding {
    let found = if worst.lost > 0 && collapse.slowest_loss_ms < AT_ONCE_MS {
        rejected_at_once(collapse)
    } else {
        waiting(seen, worst, limit)
    };
    // A limit of requests by their rate lets as many begin, once.
    let is_seen_twice = collapse.corner.and_then(|corner| corner.limit()).is_some_and(|at| is_near(at, limit));
    let surer = match seen.idle.is_short() {
        true => "longer streams, such as a longer --body, to see the limit twice",
        false => "a longer --budget, to see the limit twice",
    };
    if is_seen_twice { found } else { found.at_most(Confidence::Medium, surer) }
}

fn rejected_at_once(collapse: &Collapse) -> Finding {
    let vendor = Finding::new(DiagnosisKind::UpstreamLimit, Some(DiagnosisForm::Vendor), Confidence::High);
    let says_so = collapse.failed.is_empty() && collapse.rejected.keys().all(|status| [429, 503, 529].contains(status));
    // A server without descriptors for its vendor's connections fails as well.
    if says_so { vendor } else { vendor.at_most(Confidence::Medium, PID) }
}

fn waiting(seen: &Seen, worst: &DiagnosisLevel, limit: u64) -> Finding {
    let upstream = |form| Finding::new(DiagnosisKind::UpstreamLimit, Some(form), Confidence::High);
    match threads(seen, limit) {
        Threads::Grown if !each_request_has_a_thread(seen, worst, limit) => {
            Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::InnerPool), Confidence::High)
        }
        // A pool that the health check does not need looks the same, but for its threads.
        Threads::Unknown => upstream(DiagnosisForm::ClientPool).at_most(Confidence::Medium, PID),
        Threads::Grown | Threads::Enough => upstream(form(seen, worst, limit)).at_most(Confidence::Medium, OWN_METRICS),
        Threads::TooFew => match form(seen, worst, limit) {
            DiagnosisForm::ClientPool if each_has_a_connection(seen, worst, limit) => {
                let surer = "more --max-streams, or the vendor's own figures: each stream may have a connection to it";
                upstream(DiagnosisForm::ClientPool).at_most(Confidence::Medium, surer)
            }
            DiagnosisForm::ClientPool => upstream(DiagnosisForm::ClientPool),
            form => upstream(form).at_most(Confidence::Medium, "the vendor's own figures"),
        },
    }
}

/// Whether there are rather as many connections to the vendor as requests than as streams that flow, where descriptors
/// are known.
fn each_has_a_connection(seen: &Seen, worst: &DiagnosisLevel, limit: u64) -> bool {
    upstream_connections(seen, limit).is_some_and(|each| {
        let connections = each * limit as f64;
        (connections - worst.streams as f64).abs() < (connections - limit as f64).abs()
    })
}

/// Whether the server had a descriptor more, at each number of streams, than for them and the connection that is kept: one
/// to its vendor. Without one, its streams may be limited by the server itself, and call nobody.
fn always_has_a_connection_more(seen: &Seen) -> bool {
    let before = seen.idle_process.fds.unwrap_or_default() + u64::from(seen.keeps_connections);
    seen.levels.iter().all(|level| level.fds.is_none_or(|fds| fds > before + level.streams))
}

/// What the server's descriptors say of where its streams wait.
fn form(seen: &Seen, worst: &DiagnosisLevel, limit: u64) -> DiagnosisForm {
    /// HTTP/2 servers allow a connection as many streams at least, by default.
    const STREAMS_OF_A_CONNECTION: u64 = 50;
    /// With fewer that wait, the descriptors of checks are as many.
    const WAITING: u64 = 4;
    let many_wait = worst.streams >= (limit * 3 / 2).max(limit + WAITING);
    match upstream_connections(seen, limit) {
        Some(each) if each <= 0.1 && limit >= STREAMS_OF_A_CONNECTION && always_has_a_connection_more(seen) => {
            DiagnosisForm::Http2Streams
        }
        // Those that wait have a connection too, so they wait at its other end.
        Some(each) if many_wait && each * limit as f64 >= 0.8 * worst.streams as f64 => DiagnosisForm::Vendor,
        _ => DiagnosisForm::ClientPool,
    }
}

#[cfg(test)]
mod tests;
