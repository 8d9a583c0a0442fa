//! Figures of what was seen, in words.

use crate::diagnose::seen::{HEALTH, Seen, UNKNOWN_PATH, no_answer};
use crate::numbers::{count, counted, millis, number};
use crate::result::ProbeLevel;

/// What the checks showed at the collapse: `With 64 streams, 112 of 160 health checks had no answer in time (3 ms when
/// idle), while requests for a path that does not exist took 2.1 ms (p99), with 3 % of a processor in use`.
pub(super) fn checks(seen: &Seen) -> Option<String> {
    let worst = seen.worst()?;
    let health = worst.probes.get(HEALTH).filter(|probe| probe.sent > 0)?;
    let with = counted(worst.streams, "stream", "streams");
    let idle = seen.idle_ms(HEALTH).map(|idle| format!("{} when idle", millis(idle)));
    let mut text = format!("With {with}, {}", of_probe(health, "health checks", idle));
    if let Some(unknown) = worst.probes.get(UNKNOWN_PATH).filter(|probe| probe.sent > 0) {
        let joined = if seen.hangs(HEALTH) && seen.is_fast(UNKNOWN_PATH) { "while" } else { "and" };
        text += &format!(", {joined} {}", of_probe(unknown, "requests for a path that does not exist", None));
    }
    match worst.cpu_cores {
        Some(cores) if cores < 1.0 => {
            text += &format!(", with {} % of a processor in use", number((cores * 100.0).round()))
        }
        Some(cores) => text += &format!(", with {} processors in use", number(cores)),
        None => {}
    }
    Some(text)
}

/// `112 of 160 health checks had no answer in time (3 ms when idle)`, `health checks took 12 ms (p99; 3 ms when idle)`.
fn of_probe(probe: &ProbeLevel, what: &str, idle: Option<String>) -> String {
    let lost = no_answer(probe);
    if lost == 0 {
        let idle = idle.map(|idle| format!("; {idle}")).unwrap_or_default();
        return format!("{what} took {} (p99{idle})", millis(probe.latency_ms.p99));
    }
    let idle = idle.map(|idle| format!(" ({idle})")).unwrap_or_default();
    let how = if probe.timed_out == 0 { "failed" } else { "had no answer in time" };
    format!("{} of {} {what} {how}{idle}", count(lost), count(probe.sent))
}

/// What happens to connections beyond the limit.
pub(super) fn beyond_connections(seen: &Seen) -> &'static str {
    let of_probes = [HEALTH, UNKNOWN_PATH].into_iter().filter_map(|name| seen.probe(name));
    let (failed, timed_out) = of_probes.fold((0, 0), |sum, at| (sum.0 + at.failed, sum.1 + at.timed_out));
    match &seen.collapse {
        Some(collapse) if failed + timed_out == 0 && !collapse.rejected.is_empty() => {
            "requests beyond that are rejected"
        }
        Some(collapse) if failed + timed_out == 0 && !collapse.failed.is_empty() => "requests beyond that fail",
        _ if failed > timed_out => "new ones are closed at once",
        _ => "new ones get no answer",
    }
}

/// Seconds that a stream takes, from its request to its end, where that was seen: of one on the idle server, else by what
/// ended at the collapse (Little's law).
pub(super) fn stream_seconds(seen: &Seen, limit: u64) -> Option<f64> {
    const ENOUGH: u64 = 5;
    if seen.idle.ended && seen.idle.streams() {
        return Some((seen.idle.first_chunk + seen.idle.lasted).as_secs_f64());
    }
    let collapse = seen.collapse.as_ref().filter(|collapse| collapse.ended >= ENOUGH)?;
    Some(limit as f64 * collapse.seconds() / collapse.ended as f64)
}

/// Why a larger number only moves the limit: how many streams a second it serves, and what twice as many would.
pub(super) fn little(seen: &Seen, limit: u64, what: &str) -> String {
    /// An answer of some length, where none was seen to its end.
    const USUAL_S: f64 = 20.0;
    let (seconds, seen_or_not) = match stream_seconds(seen, limit).filter(|seconds| *seconds > 0.0) {
        Some(seconds) => (seconds, "of"),
        None => (USUAL_S, "of, for example,"),
    };
    let a_second = |streams: u64| number((streams as f64 / seconds * 100.0).round() / 100.0);
    format!(
        "With {} and streams {seen_or_not} {} s each, {} streams a second is the most that this serves, whatever the \
         processor does; twice as many serve {}, until there are twice as many users, or the vendor takes twice as long",
        counted(limit, what, &format!("{what}s")),
        number((seconds * 10.0).round() / 10.0),
        a_second(limit),
        a_second(2 * limit),
    )
}
