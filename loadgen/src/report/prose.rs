//! The summary of a run, in one sentence per side.

use serde_json::Value;

use crate::lab::LOADED;
use crate::numbers::{count, millis};
use crate::result::{ArmResult, Outcome, ProbeStats, RunResult, Side, StreamStats};

/// What a run showed, in one sentence per side made from its figures, after a note where the run was not held.
#[must_use]
pub fn prose_summary(result: &RunResult) -> String {
    let preface = preface(result.verdict.result).map(str::to_owned);
    preface.into_iter().chain(sentences(result)).collect::<Vec<_>>().join(" ")
}

/// The sentences without the note: for each side that has an arm of its name, or for the one server under load.
pub(super) fn sentences(result: &RunResult) -> Vec<String> {
    let timeout_ms = result.parameters.get("probe_timeout_ms").and_then(Value::as_f64).unwrap_or(0.0);
    let mut sentences = Vec::new();
    let mut stated = None;
    for side in Side::ALL {
        let Some(arm) = result.arms.get(side.as_str()) else { continue };
        // The load is stated once if it is the same for all.
        let open = Some(arm.streams.peak_active);
        sentences.push(sentence(server(side), arm, open.filter(|_| open != stated), timeout_ms));
        stated = open;
    }
    let target = result.target.as_ref().filter(|target| target.sequence.is_none());
    sentences.extend(target.map(|target| sentence("the server", target, Some(target.streams.peak_active), timeout_ms)));
    sentences
}

/// Whether the sentences say what the run is about: the servers that they are about were asked for their health while
/// they had streams.
pub(super) fn is_about_health(result: &RunResult) -> bool {
    let asked = |arm: &ArmResult| arm.streams.requested > 0 && health_probe(arm).is_some_and(|stats| stats.sent > 0);
    let sides = Side::ALL.iter().filter_map(|side| result.arms.get(side.as_str()));
    let servers: Vec<_> = sides.chain(&result.target).collect();
    !servers.is_empty() && servers.into_iter().all(asked)
}

fn preface(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Held => None,
        Outcome::NotHeld => Some("Not all claims held: see those marked NO above."),
        Outcome::Invalid => Some("No conclusion can be drawn from this run, for the reason above. Its figures:"),
    }
}

fn server(side: Side) -> &'static str {
    match side {
        Side::Broken => "the broken server",
        Side::Control => "the same framework without the mistake",
        Side::Fixed => "the fixed server",
    }
}

/// The probe that a sentence is about: that of the labs, else the first.
fn health_probe(arm: &ArmResult) -> Option<&ProbeStats> {
    arm.probes.get(HEALTH).or_else(|| arm.probes.values().next())
}

const HEALTH: &str = "health_sync";

fn sentence(server: &str, arm: &ArmResult, open: Option<u64>, timeout_ms: f64) -> String {
    let health = health(health_probe(arm), timeout_ms);
    let all_answered = health_probe(arm).is_some_and(|stats| stats.sent == stats.ok);
    let more = more(arm, timeout_ms, all_answered);
    let users = if arm.streams.requested == 0 { String::new() } else { format!(", and {}", users(&arm.streams)) };
    let Some(open) = open else {
        return format!("{}{} {health}{more}{users}.", server[..1].to_uppercase(), &server[1..]);
    };
    let loaded = arm.phase(LOADED).and_then(|phase| phase.cpu_cores);
    let cpu = loaded.map(|cores| format!(", at {:.0} % CPU", cores * 100.0)).unwrap_or_default();
    let streams = if open == 1 { "stream" } else { "streams" };
    format!("With {} {streams} open, {server} {health}{more}{users}{cpu}.", count(open))
}

/// The predicate about the health checks.
fn health(stats: Option<&ProbeStats>, timeout_ms: f64) -> String {
    let Some(stats) = stats.filter(|stats| stats.sent > 0) else {
        return "got no health check".to_owned();
    };
    let of_all = |number: u64| format!("{} of {} health checks", count(number), count(stats.sent));
    if stats.not_sent > 0 {
        // The generator failed to send them; this says nothing about the server.
        return format!("was not sent {}", of_all(stats.not_sent));
    }
    match (stats.failed, stats.timed_out) {
        (0, 0) => format!("answered every health check within {}", millis(stats.latency_ms.max)),
        (0, late) => format!("left {} unanswered for {}", of_all(late), millis(timeout_ms)),
        (failed, 0) => format!("failed {}", of_all(failed)),
        (failed, late) => format!("failed {} and left {late} unanswered", of_all(failed)),
    }
}

/// What the users got.
fn users(streams: &StreamStats) -> String {
    let of_all = |number: u64| format!("{} of {} users", count(number), count(streams.requested));
    let slowest = millis(streams.time_to_first_token_ms.max);
    match (streams.first_token_late, streams.without_token) {
        (0, 0) => format!("every user had a first token within {slowest}"),
        (late, 0) => format!("{} waited up to {slowest} for the first token", of_all(late)),
        (0, never) => format!("{} got no token at all", of_all(never)),
        (late, never) => format!("{} waited up to {slowest} for the first token, {never} got none", of_all(late)),
    }
}

/// How an arm did in a phase of its own with more streams.
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
    let then = match phase.probes.get(HEALTH) {
        // As without these streams.
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
    fn the_health_sentence_matches_the_counts() {
        let text = |failed, timed_out| health(Some(&probes(240, failed, timed_out, 4.3)), 10_000.0);
        assert_eq!(text(0, 0), "answered every health check within 4.3 ms");
        assert_eq!(text(0, 45), "left 45 of 240 health checks unanswered for 10 s");
        assert_eq!(text(240, 0), "failed 240 of 240 health checks");
        assert_eq!(text(3, 2), "failed 3 of 240 health checks and left 2 unanswered");
        assert_eq!(health(None, 10_000.0), "got no health check");
    }

    #[test]
    fn one_server_is_told_of_by_its_own_probe() {
        let mut target =
            ArmResult { probes: [("web".to_owned(), probes(40, 0, 0, 4.3))].into(), ..ArmResult::default() };
        target.streams = StreamStats { requested: 9, peak_active: 3, ..StreamStats::default() };
        target.streams.time_to_first_token_ms.max = 268.0;
        let mut run = result("held", 0);
        (run.arms, run.target) = (Default::default(), Some(target));
        assert!(is_about_health(&run));
        let expected = "With 3 streams open, the server answered every health check within 4.3 ms, and every user had a \
                        first token within 268 ms.";
        assert_eq!(prose_summary(&run), expected);
        run.target.as_mut().unwrap().probes.clear();
        assert!(!is_about_health(&run));
    }

    #[test]
    fn the_users_sentence_matches_the_counts() {
        let text = |first_token_late, without_token| {
            let mut streams = StreamStats { requested: 60, first_token_late, without_token, ..StreamStats::default() };
            streams.time_to_first_token_ms.max = 12_700.0;
            users(&streams)
        };
        assert_eq!(text(0, 0), "every user had a first token within 12.7 s");
        assert_eq!(text(20, 0), "20 of 60 users waited up to 12.7 s for the first token");
        assert_eq!(text(0, 60), "60 of 60 users got no token at all");
        assert_eq!(text(20, 1), "20 of 60 users waited up to 12.7 s for the first token, 1 got none");
    }

    #[test]
    fn more_streams_are_summarized_shortly_only_if_all_was_well() {
        let text = |timed_out, failed, all_answered| {
            let health = probes(60, 0, timed_out, 1.1);
            let mut phase = PhaseResult { vendor_peak_active: Some(2021), ..PhaseResult::default() };
            phase.probes.insert("health_sync".to_owned(), health);
            phase.streams = Some(StreamStats { requested: 2000, failed, ..StreamStats::default() });
            more(&ArmResult { phases: vec![phase], ..ArmResult::default() }, 10_000.0, all_answered)
        };
        assert_eq!(text(0, 0, true), ", with 2,021 streams open within 1.1 ms, lost no stream");
        assert!(text(0, 0, false).contains("open it answered every health check within 1.1 ms"));
        assert!(text(1, 3, true).ends_with("left 1 of 60 health checks unanswered for 10 s, lost 3 streams"));
    }

    /// A run of two sides, as in its result file.
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
    fn the_summary_is_made_of_the_measured_figures() {
        let broken = "With 60 streams open, the broken server left 45 of 240 health checks unanswered for 10 s, \
                      and 20 of 60 users waited up to 12.7 s for the first token.";
        let fixed = "The fixed server answered every health check within 3.4 ms, and every user had a first token \
                     within 266 ms.";
        assert_eq!(prose_summary(&result("held", 0)), format!("{broken} {fixed}"));
        let failed =
            "The fixed server failed 240 of 240 health checks, and every user had a first token within 266 ms.";
        let not_held = "Not all claims held: see those marked NO above.";
        assert_eq!(prose_summary(&result("not held", 240)), format!("{not_held} {broken} {failed}"));
        assert!(prose_summary(&result("invalid", 0)).starts_with("No conclusion can be drawn"));
    }
}
