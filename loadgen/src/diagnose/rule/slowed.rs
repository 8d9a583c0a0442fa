//! All streams flow, and more slowly than one alone, or the probes are late.

use super::clues::{
    IDLE, Threads, cores, each_request_has_a_thread, is_as_many, is_busy, machine_is_full, threads, threads_grown,
    to_know_whether_busy, waits_for_chunks_only,
};
use super::{front, stalls};
use crate::diagnose::finding::{Finding, PID};
use crate::diagnose::seen::{Collapse, HEALTH, Seen, UNKNOWN_PATH, no_answer};
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind, DiagnosisLevel};

/// A pool of connections to a database that is used for each chunk, and by the health check, looks the same, as does a
/// lock.
const OWN_METRICS: &str =
    "the server's own figures of its pools: what each chunk waits for may be a connection, or a lock";

pub(super) fn find(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel) -> Finding {
    let is_slowed = seen.is_slowed(worst);
    let checks_wait = seen.hangs(HEALTH) || seen.health_waits(worst);
    if !seen.hangs(UNKNOWN_PATH)
        && !is_slowed
        && seen.stalls.len() > 1
        && let Some(finding) = stalls::find(seen)
    {
        return finding;
    }
    match (seen.hangs(UNKNOWN_PATH), checks_wait) {
        (true, _) => everything_is_late(seen, worst, is_slowed),
        _ if all_are_late_alike(seen) => {
            let finding = everything_is_late(seen, worst, is_slowed);
            finding
                .at_most(Confidence::Medium, "a quieter machine: checks were late in lumps, and most of them were not")
        }
        (false, true) if !waits_for_chunks_only(seen) && !is_slowed => just_full(seen, worst),
        (false, true) => per_chunk(seen, collapse, worst, is_slowed),
        (false, false) if is_slowed => streams_only(seen, worst),
        (false, false) => stalls::find(seen).unwrap_or_else(|| {
            Finding::inconclusive()
                .surer("a quieter machine, or a longer --budget: some checks were late, most were not")
        }),
    }
}

/// Whether requests that need nothing are late as often as health checks are, even if most of either are not: each
/// blocks the event loop for a moment.
fn all_are_late_alike(seen: &Seen) -> bool {
    let p90 = |probe| seen.probe(probe).map_or(0.0, |at| at.latency_ms.p90);
    p90(UNKNOWN_PATH) >= seen.late_ms(UNKNOWN_PATH) && p90(UNKNOWN_PATH) * 2.0 >= p90(HEALTH)
}

/// How many chunks the server works on at once: all chunks per second, times the time between two of one stream.
fn at_once(seen: &Seen, worst: &DiagnosisLevel) -> u64 {
    let loaded = seen.levels.iter().filter(|level| level.streams >= worst.streams);
    let most = loaded.map(|level| level.chunks_per_second).fold(0.0, f64::max);
    ((most * seen.idle.gap().as_secs_f64()).round().max(1.0) as u64).min(worst.streams)
}

fn per_chunk(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel, is_slowed: bool) -> Finding {
    let finding = Finding::new(DiagnosisKind::ThreadPoolPerChunk, None, Confidence::High);
    let finding = match is_busy(seen) {
        Some(false) => finding,
        Some(true) => finding.at_most(Confidence::Low, "a profile of the server: it is busy as well"),
        None => finding.at_most(Confidence::Medium, to_know_whether_busy(seen)),
    };
    let finding = if seen.event_loop_is_free() { finding } else { finding.at_most(Confidence::Medium, PID) };
    // A chunk that has arrived before its turn needs no wait, so that the streams may not be slowed down.
    let corner = collapse.corner.and_then(|corner| corner.limit());
    let limit = if is_slowed { Some(at_once(seen, worst)) } else { corner };
    let Some(limit) = limit else {
        return finding
            .collapsed_at(worst.streams)
            .at_most(Confidence::Medium, "a longer --budget, to find the number of threads");
    };
    let mut finding = finding.limit(limit, limit);
    match threads_grown(seen) {
        Some(grown) if each_request_has_a_thread(seen, worst, limit) => {
            finding.evidence.push(format!(
                "{grown} more threads than before, about one for each stream: what its chunks wait for may be a lock"
            ));
            finding.at_most(Confidence::Low, OWN_METRICS)
        }
        Some(grown) if grown >= 2 && is_as_many(grown, limit) => finding,
        Some(_) => finding.at_most(Confidence::Medium, OWN_METRICS),
        None => finding.at_most(Confidence::Medium, PID),
    }
}

/// All streams flow, and nothing is left for the checks.
fn just_full(seen: &Seen, worst: &DiagnosisLevel) -> Finding {
    let finding = Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::InnerPool), Confidence::High);
    let finding = finding.limit(worst.started, worst.started);
    match threads(seen, worst.started) {
        Threads::Grown => finding,
        _ => finding.at_most(Confidence::Medium, "more --max-streams, to see streams wait too"),
    }
}

fn everything_is_late(seen: &Seen, worst: &DiagnosisLevel, is_slowed: bool) -> Finding {
    let at = seen.probe(UNKNOWN_PATH);
    let is_unanswered = at.is_some_and(|at| no_answer(at) * 4 >= at.sent);
    let busy = is_busy(seen);
    if is_unanswered && !is_slowed && busy != Some(true) {
        let finding = front::in_front_of_all(seen, worst.started);
        return if finding.limit.is_some() { finding } else { finding.limit(worst.started, worst.started) };
    }
    let last_good = seen.last_good().streams;
    let limit = if is_slowed { at_once(seen, worst) } else { last_good.max(1) };
    if !is_slowed && has_got_threads(seen, worst) {
        let finding = Finding::new(DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::GrowingPool), Confidence::High);
        let finding = finding.limit(limit, worst.streams);
        return finding.at_most(Confidence::Medium, "more --max-streams, to see streams wait for a new thread");
    }
    match busy {
        Some(true) => {
            let finding = Finding::new(DiagnosisKind::Cpu, None, Confidence::High).limit(limit, limit);
            // Something else on its machine may be what is busy.
            if cores(seen).is_some() { finding } else { finding.at_most(Confidence::Medium, PID) }
        }
        Some(false) if is_slowed => {
            let finding = Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High).limit(limit, limit);
            // A quota, or several processes of which one is busy, may be the limit at less than a processor.
            let is_idle = cores(seen).is_none_or(|cores| cores < IDLE);
            if is_idle { finding } else { finding.at_most(Confidence::Medium, "a profile of the server") }
        }
        // Workers that are all taken let requests wait too, and slow no stream down.
        Some(false) => {
            let finding = Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High).limit(limit, limit);
            finding.at_most(Confidence::Medium, "more --max-streams, to see whether streams wait too")
        }
        // A busy processor slows all streams too, but not to the pace of one.
        None if is_slowed && limit <= 2 && !machine_is_full(seen) => {
            let finding = Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High);
            finding.limit(limit, limit).at_most(Confidence::Medium, PID)
        }
        None if machine_is_full(seen) => starved(seen, limit),
        None => Finding::inconclusive().collapsed_at(worst.streams).surer(PID),
    }
}

/// Whether there are as many more threads as streams, and most checks were answered at last although hardly a stream
/// ended: the pool has got more threads meanwhile.
fn has_got_threads(seen: &Seen, worst: &DiagnosisLevel) -> bool {
    let few_ended = seen.collapse.as_ref().is_some_and(|collapse| collapse.ended * 8 <= worst.started);
    let answered_at_last = seen.probe(UNKNOWN_PATH).is_some_and(|at| at.answered * 2 > at.sent);
    threads(seen, worst.started) == Threads::Grown && few_ended && answered_at_last
}

/// The streams alone are slow.
fn streams_only(seen: &Seen, worst: &DiagnosisLevel) -> Finding {
    let limit = at_once(seen, worst);
    match is_busy(seen) {
        Some(true) => {
            let finding = Finding::new(DiagnosisKind::Cpu, None, Confidence::High).limit(limit, limit);
            finding.at_most(Confidence::Medium, "a profile of the server: the checks were fast all the same")
        }
        None if machine_is_full(seen) => starved(seen, limit),
        _ => {
            let finding = Finding::new(DiagnosisKind::UpstreamLimit, Some(DiagnosisForm::Vendor), Confidence::High);
            finding.limit(limit, limit).at_most(Confidence::Low, "the vendor's own figures: it may be what is slow")
        }
    }
}

/// The server would use more of the processor than others on its machine leave it.
fn starved(seen: &Seen, limit: u64) -> Finding {
    let finding = Finding::new(DiagnosisKind::Cpu, None, Confidence::High).limit(limit, limit);
    finding.at_most(Confidence::Low, to_know_whether_busy(seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::rule::find;
    use crate::diagnose::seen::{answered, probes};
    use crate::result::ProbeLevel;

    fn all_flow(pace: f64, health: ProbeLevel, unknown: ProbeLevel) -> DiagnosisLevel {
        DiagnosisLevel {
            streams: 16,
            started: 16,
            chunks_per_second: 16.0 * pace,
            pace: Some(pace),
            probes: probes(health, unknown.clone(), unknown),
            cpu_cores: Some(0.02),
            machine_cores: Some(0.1),
            threads: Some(5),
            ..DiagnosisLevel::default()
        }
    }

    fn found(level: DiagnosisLevel) -> (DiagnosisKind, Confidence) {
        let finding = find(&Seen::sample(level, Collapse::default()));
        (finding.kind, finding.confidence)
    }

    #[test]
    fn an_event_loop_that_is_blocked_for_moments_makes_all_requests_late_alike() {
        let blocked = all_flow(4.5, answered(74.0, 150.0), answered(31.0, 140.0));
        assert_eq!(found(blocked), (DiagnosisKind::EventLoopBlocked, Confidence::Medium));
        let pool = all_flow(4.5, answered(74.0, 150.0), answered(1.0, 9.0));
        assert_eq!(found(pool).0, DiagnosisKind::ThreadPoolPerChunk, "only the health check waits");
    }

    #[test]
    fn checks_that_are_answered_at_last_by_new_threads_are_those_of_a_growing_pool() {
        let late = || answered(1_500.0, 4_000.0);
        let grown = DiagnosisLevel { threads: Some(21), ..all_flow(5.0, late(), late()) };
        let of = |ended| {
            let mut seen = Seen::sample(grown.clone(), Collapse { ended, begun: ended, ..Collapse::default() });
            seen.levels[0].threads = Some(13);
            find(&seen)
        };
        assert_eq!((of(1).form, of(1).confidence), (Some(DiagnosisForm::GrowingPool), Confidence::Medium));
        assert_ne!(of(8).form, Some(DiagnosisForm::GrowingPool), "threads of streams that ended answered the checks");
    }

    #[test]
    fn a_server_to_which_others_leave_little_of_the_processor_is_not_said_to_be_idle() {
        let slow = |cpu_cores, machine_cores| DiagnosisLevel {
            cpu_cores: Some(cpu_cores),
            machine_cores: Some(machine_cores),
            ..all_flow(1.5, answered(1.0, 20.0), answered(1.0, 20.0))
        };
        assert_eq!(found(slow(0.55, 1.9)), (DiagnosisKind::Cpu, Confidence::Low));
        assert_eq!(found(slow(0.55, 0.8)).0, DiagnosisKind::UpstreamLimit, "a processor is free");
        assert_eq!(found(slow(0.02, 1.9)).0, DiagnosisKind::UpstreamLimit, "it wants none");
        let pool = DiagnosisLevel {
            cpu_cores: Some(0.17),
            machine_cores: Some(1.9),
            ..all_flow(1.5, answered(400.0, 500.0), answered(1.0, 20.0))
        };
        assert_eq!(found(pool), (DiagnosisKind::ThreadPoolPerChunk, Confidence::Medium));
    }
}
