//! The verdict of `loadgen diagnose`.

use super::{Verdict, decide, lag_allowed_ms, lag_objection};
use crate::numbers::count;
use crate::result::{
    ClaimKind, ClaimResult, Confidence, Diagnosis, DiagnosisKind, DiagnosisLevel, RunResult, TARGET, Unit,
};

/// A stream that has no first chunk counts as waiting after a second at the earliest.
const WAITS_MS: f64 = 1_000.0;

/// Held if the server was as when idle with `streams_max` streams; not held if it collapsed before, for whatever reason,
/// or does not stream; invalid if neither is known.
#[must_use]
pub fn of_diagnosis(diagnosis: &Diagnosis, streams_max: u64, result: &RunResult) -> Verdict {
    let held = diagnosis.streams_held();
    let (mut claims, mut invalid_because) = (Vec::new(), Vec::new());
    match (diagnosis.kind, diagnosis.collapse()) {
        (DiagnosisKind::NotStreaming, _) => {
            claims.push(at_least("streams that arrive piece by piece", Some(0), 1));
        }
        (DiagnosisKind::NoneFound, _) => {
            claims.push(at_least("streams held as when idle", Some(held), streams_max));
            // It is not known what happens with more.
            if held < streams_max {
                let (held, most) = (count(held), count(streams_max));
                invalid_because.push(format!(
                    "the time ended at {held} of {most} streams: give a longer --budget, or a smaller --max-streams"
                ));
            }
        }
        (_, Some(streams)) => {
            let name = "streams at the collapse";
            let claim = at_least(name, Some(streams), streams_max);
            claims.push(ClaimResult { comparison: ">".to_owned(), held: false, ..claim });
        }
        // All of it stood still now and then, with any number of streams; once may have been something else.
        (DiagnosisKind::EventLoopBlocked, None) if diagnosis.confidence > Confidence::Low => {
            claims.push(at_least("streams held without a stall", Some(0), streams_max));
        }
        (_, None) => {
            claims.push(at_least("streams held as when idle", None, streams_max));
            invalid_because.push("what was seen proves nothing, neither a collapse nor that there is none".to_owned());
        }
    }
    // That a stream comes at once in the end is known from one, however late it is read.
    if diagnosis.kind != DiagnosisKind::NotStreaming {
        invalid_because.extend(lag_objection(result, lag_allowed_ms(judged_ms(diagnosis))));
    }
    decide(claims, invalid_because)
}

fn at_least(name: &str, measured: Option<u64>, threshold: u64) -> ClaimResult {
    ClaimResult {
        name: name.to_owned(),
        kind: ClaimKind::Effect,
        arm: TARGET.to_owned(),
        measured: measured.map(|streams| streams as f64),
        comparison: ">=".to_owned(),
        threshold: threshold as f64,
        unit: Unit::STREAMS,
        general: false,
        held: measured.is_some_and(|measured| measured >= threshold),
    }
}

/// The latency by which a collapse is known: that of streams that wait, or of the latest probe. Without a collapse all
/// are short.
fn judged_ms(diagnosis: &Diagnosis) -> Option<f64> {
    let last = diagnosis.by_streams().pop().filter(|_| diagnosis.collapse().is_some())?;
    let latest = |level: &DiagnosisLevel| level.probes.values().map(|probe| probe.latency_ms.p90).fold(0.0, f64::max);
    Some(if last.waiting > 0 { latest(last).max(WAITS_MS) } else { latest(last) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::result::{Environment, Generator, Outcome, samples};

    fn diagnosis(kind: DiagnosisKind, at: Option<u64>, levels: &[u64]) -> Diagnosis {
        let level = |streams: &u64| DiagnosisLevel { streams: *streams, ..DiagnosisLevel::default() };
        Diagnosis { kind, streams_at_collapse: at, levels: levels.iter().map(level).collect(), ..samples::full_pool() }
    }

    /// The outcome with a limit of 64 streams, and the figure of its claim.
    fn judged(diagnosis: &Diagnosis, lag_ms: f64) -> (Outcome, Option<f64>) {
        let mut generator = Generator::default();
        generator.schedule_lag_ms.p99 = lag_ms;
        let environment = Environment { cores: 2, memory_bytes: 1, os: String::new() };
        let result = RunResult::new("diagnose", environment, BTreeMap::new(), generator);
        let verdict = of_diagnosis(diagnosis, 64, &result);
        (verdict.result, verdict.claims[0].measured)
    }

    #[test]
    fn only_a_server_that_held_all_that_was_asked_for_is_held() {
        use DiagnosisKind::{EventLoopBlocked, Inconclusive, NoneFound, NotStreaming, ThreadPoolHeld};
        for (kind, at, levels, expected) in [
            (NoneFound, None, &[1, 2, 64][..], (Outcome::Held, Some(64.0))),
            // The time was over, or there was none at all.
            (NoneFound, None, &[1, 32], (Outcome::Invalid, Some(32.0))),
            (NoneFound, None, &[], (Outcome::Invalid, Some(0.0))),
            (ThreadPoolHeld, Some(40), &[1, 32, 64], (Outcome::NotHeld, Some(40.0))),
            // At the last number that was asked for.
            (ThreadPoolHeld, Some(64), &[1, 32, 64], (Outcome::NotHeld, Some(64.0))),
            (NotStreaming, None, &[], (Outcome::NotHeld, Some(0.0))),
            // It stands still now and then.
            (EventLoopBlocked, None, &[1, 64], (Outcome::NotHeld, Some(0.0))),
            // It collapsed, for whatever reason.
            (Inconclusive, Some(16), &[1, 16], (Outcome::NotHeld, Some(16.0))),
            (Inconclusive, None, &[1, 16], (Outcome::Invalid, None)),
        ] {
            assert_eq!(judged(&diagnosis(kind, at, levels), 1.0), expected, "{kind:?} {at:?} {levels:?}");
        }
    }

    #[test]
    fn a_generator_that_lags_proves_nothing_unless_the_wait_is_far_longer() {
        let good = diagnosis(DiagnosisKind::NoneFound, None, &[64]);
        assert_eq!([19.0, 21.0].map(|lag| judged(&good, lag).0), [Outcome::Held, Outcome::Invalid]);
        assert_eq!(judged(&diagnosis(DiagnosisKind::NotStreaming, None, &[]), 21.0).0, Outcome::NotHeld);
        let mut collapse = diagnosis(DiagnosisKind::ThreadPoolHeld, Some(40), &[32, 64]);
        assert_eq!(judged(&collapse, 21.0).0, Outcome::Invalid);
        collapse.levels[1].waiting = 24;
        assert_eq!([99.0, 101.0].map(|lag| judged(&collapse, lag).0), [Outcome::NotHeld, Outcome::Invalid]);
    }
}
