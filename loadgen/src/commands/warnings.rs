//! Warnings beside a verdict.

use crate::result::{ArmResult, StreamStats};
use crate::traffic::NO_EVENT_STREAM;

/// Failed and timed-out probes, and failed and empty streams of `target`, whatever is judged. `request` is that
/// of its streams, such as `POST /chat/stream`; they are calls if their answers are `whole`.
pub(super) fn warnings(target: &ArmResult, request: &str, whole: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, stats) in target.probes.iter().filter(|(_, stats)| stats.sent > 0) {
        if stats.timed_out > 0 {
            warnings.push(format!("{} of {} {name} probes timed out", stats.timed_out, stats.sent));
        }
        if stats.failed > 0 {
            let causes: Vec<_> = stats.failures.keys().map(String::as_str).collect();
            warnings.push(format!("{} of {} {name} probes failed: {}", stats.failed, stats.sent, causes.join(", ")));
        }
    }
    let streams = &target.streams;
    match all_alike(streams, request) {
        Some(alike) => warnings.push(alike),
        None => warnings.extend(of_some(streams, whole)),
    }
    warnings
}

fn of_some(streams: &StreamStats, whole: bool) -> Vec<String> {
    let counts = [
        (streams.failed, "failed"),
        (streams.truncated, "were truncated"),
        (
            streams.stalled,
            if whole { "had no answer for long when the run ended" } else { "had stalled when the run ended" },
        ),
        // A call without an answer has failed, or was still waiting.
        (if whole { 0 } else { streams.without_token }, "had no token"),
    ];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    let kind = if whole { "calls" } else { "streams" };
    some.map(|(count, what)| format!("{count} of {} {kind} {what}", streams.requested)).collect()
}

/// The common cause, if all streams failed for the same one.
pub(super) fn all_alike(streams: &StreamStats, request: &str) -> Option<String> {
    let (cause, count) = streams.failures.first_key_value()?;
    if *count != streams.requested {
        return None;
    }
    let what = match cause.strip_prefix("status ") {
        Some(status) => format!("answered {status} at {request}"),
        None if cause == NO_EVENT_STREAM => {
            format!(
                "answered without an event stream at {request} (if it does not stream: run --whole-answers; if its streams have no such media type: run --format)"
            )
        }
        None => format!("failed at {request}: {cause}"),
    };
    let answer = streams.failure_answers.get(cause).filter(|answer| !answer.is_empty());
    let answer = answer.map_or_else(String::new, |answer| format!(": {answer}"));
    Some(format!("{count} of {count} {what}{answer}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn failed(causes: &[(&str, u64)], requested: u64) -> StreamStats {
        let failures: BTreeMap<_, _> = causes.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect();
        let failure_answers = BTreeMap::from([("status 404".to_owned(), "text/plain: no such page".to_owned())]);
        StreamStats { requested, failed: failures.values().sum(), failures, failure_answers, ..StreamStats::default() }
    }

    #[test]
    fn calls_are_not_called_streams_and_have_no_tokens_to_miss() {
        let target = ArmResult {
            streams: StreamStats { without_token: 3, stalled: 1, ..failed(&[("status 500", 2)], 9) },
            ..ArmResult::default()
        };
        assert_eq!(
            warnings(&target, "POST /llm", true),
            ["2 of 9 calls failed", "1 of 9 calls had no answer for long when the run ended"]
        );
        let of_streams = warnings(&target, "POST /chat/stream", false);
        assert_eq!(of_streams.last().map(String::as_str), Some("3 of 9 streams had no token"));
    }

    #[test]
    fn streams_that_all_fail_alike_get_one_warning() {
        let alike = all_alike(&failed(&[("status 404", 51)], 51), "POST /nope");
        assert_eq!(alike.as_deref(), Some("51 of 51 answered 404 at POST /nope: text/plain: no such page"));
        let refused = all_alike(&failed(&[("connection refused", 2)], 2), "GET /");
        assert_eq!(refused.as_deref(), Some("2 of 2 failed at GET /: connection refused"));
        assert_eq!(all_alike(&failed(&[("status 404", 51)], 52), "POST /nope"), None);
        assert_eq!(all_alike(&failed(&[("status 404", 1), ("timed out", 1)], 2), "POST /nope"), None);
        assert_eq!(all_alike(&StreamStats::default(), "POST /nope"), None);
    }
}
