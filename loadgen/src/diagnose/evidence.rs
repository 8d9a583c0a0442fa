//! What was seen, in sentences with figures.

use super::seen::{ASYNC_HEALTH, Collapse, HEALTH, KEPT_CONNECTION, Seen, UNKNOWN_PATH, no_answer};
use super::state::{begins_late, is_often_late};
use crate::numbers::{count, counted, millis, number};
use crate::result::{DiagnosisLevel, ProbeLevel};

/// The probes, as sentences name them: one, and several.
const NAMES: [(&str, &str, &str); 4] = [
    (HEALTH, "health", "health checks"),
    (ASYNC_HEALTH, "async health", "async health checks"),
    (UNKNOWN_PATH, "a path that does not exist", "requests for a path that does not exist"),
    (KEPT_CONNECTION, "a connection kept from before", "requests on a connection kept from before"),
];

/// The sentences about the load, none if there was none.
pub(super) fn evidence(seen: &Seen) -> Vec<String> {
    let mut evidence = Vec::new();
    match (&seen.collapse, seen.worst()) {
        (Some(collapse), Some(worst)) => {
            evidence.push(around_the_limit(seen, collapse, worst));
            evidence.push(streams(seen, collapse, worst));
            evidence.extend(lost(collapse));
            let meanwhile = Some(probes(worst)).filter(|said| !said.is_empty());
            evidence.extend(meanwhile.map(|said| format!("meanwhile: {said}")));
            evidence.extend(processes(seen, worst));
        }
        // What cut it short is said elsewhere.
        _ if seen.cut_short.is_some() => {}
        _ => {
            let most = seen.levels.iter().max_by_key(|level| level.streams);
            evidence.extend(most.map(|level| format!("{}: all flow; {}", streams_of(level.streams), probes(level))));
            evidence.extend(most.and_then(|level| processes(seen, level)));
        }
    }
    evidence
}

fn streams_of(streams: u64) -> String {
    counted(streams, "stream", "streams")
}

/// `39 streams: health p99 3 ms; 40 streams: 14 of 20 health checks got no answer in time`
fn around_the_limit(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel) -> String {
    let corner = collapse.corner.unwrap_or_default();
    let held = |streams: u64| seen.levels.iter().rev().find(|level| level.streams == streams && streams > 0);
    let good = held(corner.good).cloned().unwrap_or_else(|| seen.last_good());
    let bad = held(corner.bad).unwrap_or(worst);
    let slow = NAMES.iter().find(|(name, ..)| bad.probes.get(*name).is_some_and(|at| seen.is_late(name, at)));
    let late = || NAMES.iter().find(|(name, ..)| bad.probes.get(*name).is_some_and(|at| is_often_late(seen, name, at)));
    let slow = slow.or_else(late).or(NAMES.first().filter(|_| seen.health_waits(bad)));
    let at = |level: &DiagnosisLevel| match slow {
        Some((name, one, several)) => level.probes.get(*name).map_or_else(String::new, |at| probe(at, one, several)),
        None if level.waiting > 0 => {
            format!("{} of them {}", count(level.waiting), if level.waiting == 1 { "waits" } else { "wait" })
        }
        None if level.lost > 0 => format!("{} rejected or failed", counted(level.lost, "request was", "requests were")),
        None if level.started * 10 < level.streams * 9 => format!("{} of them flow", count(level.started)),
        None => match (level.first_chunk_ms.filter(|_| begins_late(seen, level)), level.pace) {
            (Some(waited), _) => format!("a new one begins after {}", millis(waited)),
            (None, Some(pace)) if level.streams == 1 => format!("it gets {} chunks a second", number(pace)),
            (None, Some(pace)) => format!("each gets {} chunks a second", number(pace)),
            (None, None) => "all of them flow".to_owned(),
        },
    };
    if good.streams == 0 {
        return format!("{}: {}", streams_of(bad.streams), at(bad));
    }
    format!("{}: {}; {}: {}", streams_of(good.streams), at(&good), streams_of(bad.streams), at(bad))
}

fn probe(at: &ProbeLevel, one: &str, several: &str) -> String {
    match no_answer(at) {
        0 => format!("{one} p99 {}", millis(at.latency_ms.p99)),
        lost if at.timed_out == 0 => format!("{} of {} {several} failed", count(lost), count(at.sent)),
        lost => format!("{} of {} {several} got no answer in time", count(lost), count(at.sent)),
    }
}

/// `64 streams: 40 flow and 24 wait for their first chunk; in 5 s, 2 ended and 2 began`
fn streams(seen: &Seen, collapse: &Collapse, worst: &DiagnosisLevel) -> String {
    let all = streams_of(worst.streams);
    if worst.waiting + worst.lost == 0 && worst.started * 10 >= worst.streams * 9 {
        return match worst.pace {
            Some(now) => {
                format!("{all}: all flow, each with {} chunks a second of {} alone", number(now), number(seen.pace()))
            }
            None => format!("{all}: all flow"),
        };
    }
    let at = |look: Option<&u64>| count(look.copied().unwrap_or(worst.started));
    let flow = match collapse.plateau() {
        Some(1) => "1 flows".to_owned(),
        Some(served) => format!("{} flow", count(served)),
        None => format!("first {} and then {} flow", at(collapse.served.first()), at(collapse.served.last())),
    };
    let others = match worst.waiting {
        0 if worst.lost > 0 => "the others were lost".to_owned(),
        0 => "the others have not begun".to_owned(),
        1 => "1 waits for its first chunk".to_owned(),
        waiting => format!("{} wait for their first chunk", count(waiting)),
    };
    let seconds = collapse.seconds().round();
    let next = match (collapse.ended, collapse.begun) {
        (0, 0) => format!("none ended and none began in {seconds} s"),
        (ended, 0) => format!("in {seconds} s {} ended and none began", count(ended)),
        (ended, begun) if ended > 0 && collapse.begin_as_others_end() => {
            format!(
                "in {seconds} s {} ended and {} began: a new one begins when an old one ends",
                count(ended),
                count(begun)
            )
        }
        (ended, begun) => format!("in {seconds} s {} ended and {} began", count(ended), count(begun)),
    };
    let broken = match collapse.broken {
        0 => String::new(),
        1 => "; 1 was closed before its end".to_owned(),
        broken => format!("; {} were closed before their end", count(broken)),
    };
    format!("{all}: {flow} and {others}; {next}{broken}")
}

/// `lost: 24 with status 429, after 5 s at most`
fn lost(collapse: &Collapse) -> Option<String> {
    let rejected = collapse.rejected.iter().map(|(status, times)| format!("{} with status {status}", count(*times)));
    let failed = collapse.failed.iter().map(|(cause, times)| format!("{} times {cause}", count(*times)));
    let lost: Vec<_> = rejected.chain(failed).collect();
    (!lost.is_empty()).then(|| format!("lost: {}, after {} at most", lost.join(", "), millis(collapse.slowest_loss_ms)))
}

/// What all probes got at one number of streams.
fn probes(level: &DiagnosisLevel) -> String {
    let known = NAMES.iter().filter_map(|(name, one, several)| {
        let at = level.probes.get(*name).filter(|at| at.sent > 0)?;
        Some(probe(at, one, several))
    });
    known.collect::<Vec<_>>().join(", ")
}

/// `CPU 3 %; threads 3 before and 43 now; descriptors 91 of 1,024`
fn processes(seen: &Seen, level: &DiagnosisLevel) -> Option<String> {
    let cpu = level.cpu_cores.map(|cores| format!("CPU {:.0} %", cores * 100.0));
    let threads = level.threads.map(|now| match seen.idle_process.threads {
        Some(before) => format!("threads {} before and {} now", count(before), count(now)),
        None => format!("threads {}", count(now)),
    });
    let fds = level.fds.map(|open| match level.fds_of_fullest.zip(level.fds_limit) {
        Some((of_fullest, limit)) if of_fullest >= open => format!("descriptors {} of {}", count(open), count(limit)),
        Some((of_fullest, limit)) => format!(
            "descriptors {} of all its processes, and {} of {} of the one with the fewest left",
            count(open),
            count(of_fullest),
            count(limit)
        ),
        None => format!("descriptors {}", count(open)),
    });
    let known: Vec<_> = [cpu, threads, fds].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::seen::{answered, probes};

    #[test]
    fn what_is_not_as_when_idle_is_what_is_said_of_it() {
        let fast = || answered(1.0, 2.0);
        let flows = |first_chunk_ms, health| DiagnosisLevel {
            streams: 9,
            started: 9,
            pace: Some(5.0),
            first_chunk_ms,
            probes: probes(health, fast(), fast()),
            ..DiagnosisLevel::default()
        };
        let said = |level| evidence(&Seen::sample(level, Collapse::default())).swap_remove(0);
        let before = "8 streams: each gets 5 chunks a second; 9 streams: ";
        assert_eq!(said(flows(None, fast())), format!("{before}each gets 5 chunks a second"));
        assert_eq!(said(flows(Some(4_100.0), fast())), format!("{before}a new one begins after 4.1 s"));
        let waits = DiagnosisLevel { started: 2, waiting: 7, ..flows(None, fast()) };
        let collapse = Collapse { served: vec![2; 20], ended: 1, ..Collapse::default() };
        let said_of_streams = evidence(&Seen::sample(waits, collapse)).swap_remove(1);
        assert_eq!(
            said_of_streams,
            "9 streams: 2 flow and 7 wait for their first chunk; in 5 s 1 ended and none began"
        );
        let begins = DiagnosisLevel { started: 6, ..flows(None, fast()) };
        let said_of_both = evidence(&Seen::sample(begins, Collapse { served: vec![6; 20], ..Collapse::default() }));
        assert_eq!(said_of_both[0], format!("{before}6 of them flow"));
        assert!(said_of_both[1].starts_with("9 streams: 6 flow and the others have not begun; "), "{said_of_both:?}");
        // Most checks are fast, and more than one in ten is not.
        let late = said(flows(None, answered(3.0, 400.0)));
        assert_eq!(late, "8 streams: health p99 2 ms; 9 streams: health p99 400 ms");
    }
}
