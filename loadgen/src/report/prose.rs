//! A run in three sentences.

use serde_json::Value;

use super::{count, millis};
use crate::lab::LOADED;
use crate::result::{ArmResult, Outcome, ProbeStats, RunResult, Side, StreamStats};

/// What a run showed, in the sentences in which somebody would tell it: one for each side, from its figures,
/// after a word on the verdict where that is not that all of it held.
#[must_use]
pub fn prose_summary(result: &RunResult) -> String {
    let timeout_ms = result.parameters.get("probe_timeout_ms").and_then(Value::as_f64).unwrap_or(0.0);
    let mut sentences: Vec<_> = preface(result.verdict.result).map(str::to_owned).into_iter().collect();
    let mut said = None;
    for side in Side::ALL {
        let Some(arm) = result.arms.get(side.as_str()) else { continue };
        // The load is said once, where it is the same for all.
        let open = Some(arm.streams.peak_active);
        sentences.push(sentence(side, arm, open.filter(|_| open != said), timeout_ms));
        said = open;
    }
    sentences.join(" ")
}

fn preface(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Held => None,
        Outcome::NotHeld => Some("Not everything that is claimed held: see NO above."),
        Outcome::Invalid => Some("This run proves nothing, for the reason above. Its figures all the same:"),
    }
}

fn sentence(side: Side, arm: &ArmResult, open: Option<u64>, timeout_ms: f64) -> String {
    let server = match side {
        Side::Broken => "the broken server",
        Side::Control => "the same framework without the mistake",
        Side::Fixed => "the fixed server",
    };
    let health = health(arm.probes.get("health_sync"), timeout_ms);
    let all_answered = arm.probes.get("health_sync").is_some_and(|stats| stats.sent == stats.ok);
    let (more, users) = (more(arm, timeout_ms, all_answered), users(&arm.streams));
    let Some(open) = open else {
        return format!("{}{} {health}{more}, and {users}.", server[..1].to_uppercase(), &server[1..]);
    };
    let loaded = arm.phases.iter().find(|phase| phase.name == LOADED).and_then(|phase| phase.cpu_cores);
    let cpu = loaded.map(|cores| format!(", at {:.0} % CPU", cores * 100.0)).unwrap_or_default();
    format!("With {} streams open, {server} {health}{more}, and {users}{cpu}.", count(open))
}

/// What became of the health checks, after the name of the server.
fn health(stats: Option<&ProbeStats>, timeout_ms: f64) -> String {
    let Some(stats) = stats.filter(|stats| stats.sent > 0) else {
        return "was asked for no health check".to_owned();
    };
    let of_all = |number: u64| format!("{} of {} health checks", count(number), count(stats.sent));
    if stats.not_sent > 0 {
        // The generator's failure, not the server's.
        return format!("was not asked for {}", of_all(stats.not_sent));
    }
    match (stats.failed, stats.timed_out) {
        (0, 0) => format!("answered every health check within {}", millis(stats.latency_ms.max)),
        (0, late) => format!("left {} without an answer for {}", of_all(late), millis(timeout_ms)),
        (failed, 0) => format!("failed {}", of_all(failed)),
        (failed, late) => format!("failed {} and left {late} without an answer", of_all(failed)),
    }
}

/// What became of those who wait for the text.
fn users(streams: &StreamStats) -> String {
    let of_all = |number: u64| format!("{} of {} users", count(number), count(streams.requested));
    let slowest = millis(streams.time_to_first_token_ms.max);
    match (streams.first_token_late, streams.without_token) {
        (0, 0) => format!("every user had a first word within {slowest}"),
        (late, 0) => format!("{} waited up to {slowest} for their first word", of_all(late)),
        (0, never) => format!("{} got no word at all", of_all(never)),
        (late, never) => format!("{} waited up to {slowest} for their first word, {never} got none", of_all(late)),
    }
}

/// What an arm bore that went through a phase of its own with more streams.
fn more(arm: &ArmResult, timeout_ms: f64, all_answered: bool) -> String {
    let with_more = arm.phases.iter().filter(|phase| phase.vendor_peak_active > Some(arm.streams.peak_active));
    let Some(phase) = with_more.max_by_key(|phase| phase.vendor_peak_active) else {
        return String::new();
    };
    let of_phases = || arm.phases.iter().filter_map(|phase| phase.streams.as_ref());
    let lost = match of_phases().map(StreamStats::lost).sum::<u64>() {
        0 => "no stream".to_owned(),
        lost => format!("{} streams", count(lost)),
    };
    let open = format!("with {} streams open", count(phase.vendor_peak_active.unwrap_or(0)));
    let then = match phase.probes.get("health_sync") {
        // As before: said in short.
        Some(stats) if stats.sent > 0 && stats.sent == stats.ok && all_answered => {
            format!("{open} within {}", millis(stats.latency_ms.max))
        }
        stats => format!("{open} it {}", health(stats, timeout_ms)),
    };
    format!(", {then}, lost {lost}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::PhaseResult;

    fn probes(sent: u64, failed: u64, timed_out: u64, max: f64) -> ProbeStats {
        let mut stats = ProbeStats { sent, failed, timed_out, ok: sent - failed - timed_out, ..ProbeStats::default() };
        stats.latency_ms.max = max;
        stats
    }

    #[test]
    fn health_is_told_as_it_was() {
        let told = |failed, timed_out| health(Some(&probes(240, failed, timed_out, 4.3)), 10_000.0);
        assert_eq!(told(0, 0), "answered every health check within 4.3 ms");
        assert_eq!(told(0, 45), "left 45 of 240 health checks without an answer for 10 s");
        assert_eq!(told(240, 0), "failed 240 of 240 health checks");
        assert_eq!(told(3, 2), "failed 3 of 240 health checks and left 2 without an answer");
        assert_eq!(health(None, 10_000.0), "was asked for no health check");
    }

    #[test]
    fn users_are_told_of_as_they_fared() {
        let told = |first_token_late, without_token| {
            let mut streams = StreamStats { requested: 60, first_token_late, without_token, ..StreamStats::default() };
            streams.time_to_first_token_ms.max = 12_700.0;
            users(&streams)
        };
        assert_eq!(told(0, 0), "every user had a first word within 12.7 s");
        assert_eq!(told(20, 0), "20 of 60 users waited up to 12.7 s for their first word");
        assert_eq!(told(0, 60), "60 of 60 users got no word at all");
        assert_eq!(told(20, 1), "20 of 60 users waited up to 12.7 s for their first word, 1 got none");
    }

    #[test]
    fn more_streams_are_told_of_in_short_only_where_all_was_well() {
        let told = |timed_out, failed, all_answered| {
            let health = probes(60, 0, timed_out, 1.1);
            let mut phase = PhaseResult { vendor_peak_active: Some(2021), ..PhaseResult::default() };
            phase.probes.insert("health_sync".to_owned(), health);
            phase.streams = Some(StreamStats { requested: 2000, failed, ..StreamStats::default() });
            more(&ArmResult { phases: vec![phase], ..ArmResult::default() }, 10_000.0, all_answered)
        };
        assert_eq!(told(0, 0, true), ", with 2,021 streams open within 1.1 ms, lost no stream");
        assert!(told(0, 0, false).contains("open it answered every health check within 1.1 ms"));
        assert!(told(1, 3, true).ends_with("left 1 of 60 health checks without an answer for 10 s, lost 3 streams"));
    }

    /// A run of two sides as its file has it.
    fn result(verdict: &str, failed: u64) -> RunResult {
        let quantiles = |max: f64| serde_json::json!({"p50": 0.5, "p90": 1.0, "p99": 2.0, "max": max});
        let probes = |failed: u64, timed_out: u64, max: f64| {
            serde_json::json!({"health_sync": {"sent": 240, "ok": 240 - failed - timed_out, "failed": failed,
                "timed_out": timed_out, "latency_ms": quantiles(max), "latency_from_sent_ms": quantiles(max)}})
        };
        let streams = |late: u64, max: f64| {
            serde_json::json!({"requested": 60, "peak_active": 60, "completed": 60, "failed": 0, "truncated": 0,
                "left": 0, "without_token": 0, "first_token_late": late, "time_to_first_token_ms": quantiles(max),
                "time_to_first_token_from_sent_ms": quantiles(max), "inter_token_ms": quantiles(max), "chunks": 3600,
                "chunks_per_second": 1.0})
        };
        let arm = |streams: Value, probes: Value| {
            serde_json::json!({"program": "", "streams": streams, "probes": probes, "baseline": {"probes": {}},
                "phases": [], "vendor": null, "process": null, "timeline": []})
        };
        let text = serde_json::json!({
            "schema_version": 1, "command": "demo", "environment": {"cores": 2, "memory_bytes": 1, "os": "an OS"},
            "parameters": {"probe_timeout_ms": 10_000},
            "arms": {"broken": arm(streams(20, 12_684.0), probes(0, 45, 10_002.0)),
                     "fixed": arm(streams(0, 266.0), probes(failed, 0, 3.4))},
            "self": {"schedule_lag_ms": quantiles(1.0)},
            "verdict": {"result": verdict, "claims": []}
        });
        serde_json::from_value(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_said_is_what_was_measured() {
        let broken = "With 60 streams open, the broken server left 45 of 240 health checks without an answer for \
                      10 s, and 20 of 60 users waited up to 12.7 s for their first word.";
        let fixed = "The fixed server answered every health check within 3.4 ms, and every user had a first word \
                     within 266 ms.";
        assert_eq!(prose_summary(&result("held", 0)), format!("{broken} {fixed}"));
        let failed = "The fixed server failed 240 of 240 health checks, and every user had a first word within 266 ms.";
        let not_held = "Not everything that is claimed held: see NO above.";
        assert_eq!(prose_summary(&result("not held", 240)), format!("{not_held} {broken} {failed}"));
        assert!(prose_summary(&result("invalid", 0)).starts_with("This run proves nothing"));
    }
}
