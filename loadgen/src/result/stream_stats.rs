//! The figures of requests: streams, and calls with a whole answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::figures::is_zero;
use super::{Histograms, Quantiles, RequestGoodput};

/// Counts and latencies of streams, or of calls with a whole answer. `requested = completed + failed + truncated + left`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamStats {
    /// Streams or calls that were due.
    pub requested: u64,
    /// Peak number of open streams, from being sent to their end.
    pub peak_active: u64,
    /// Streams of a rate that were due and not sent, because as many were open as may be (`run --max-in-flight`). They are
    /// not among those requested, and are in no latency.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// Streams by the format in which their tokens came: `chat` (the servers' own), `openai`, `anthropic`, `responses`,
    /// `sse` (any other events), `jsonl` or `text`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub formats: BTreeMap<String, u64>,
    /// Completed with at least one token.
    pub completed: u64,
    /// Completed ones per second: in a phase those completed while it was measured, else all of them over the whole
    /// run.
    #[serde(default)]
    pub completed_per_second: f64,
    /// Completed ones that were truncated, where the client takes the end of the connection for the end of the answer.
    #[serde(default)]
    pub taken_as_complete: u64,
    /// Rejected, unreachable, no event stream, timed out, ended with an error event or without a token.
    pub failed: u64,
    /// Ended after a 200, neither complete nor with an error event.
    pub truncated: u64,
    /// Closed by the generator: the run was over, or the client was to disconnect. `left` in JSON.
    #[serde(rename = "left")]
    pub disconnected: u64,
    /// Those of them whose client had stopped to read.
    #[serde(default)]
    pub stopped_reading: u64,
    /// Streams still open at the end that had stalled: silent for over ten times the mean gap between their own
    /// tokens, or without a token for over ten times the run's median time to first token; at least 500 ms in
    /// both cases.
    #[serde(default)]
    pub stalled: u64,
    /// Streams without any token, for whatever reason. They have no time to first token.
    pub without_token: u64,
    /// Completed streams that ended properly but without `[DONE]`.
    #[serde(default)]
    pub without_done: u64,
    /// Streams whose first token came more than a second after they were due.
    #[serde(default)]
    pub first_token_late: u64,
    /// Failed streams by cause.
    #[serde(default)]
    pub failures: BTreeMap<String, u64>,
    /// The start of one answer, for each cause that has answers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failure_answers: BTreeMap<String, String>,
    /// Answers by HTTP status: `{"200": 40, "502": 2}`.
    #[serde(default)]
    pub by_status: BTreeMap<String, u64>,
    /// Answers by `X-Stream-Method`: `blocking`, `async`, `async_failure`.
    #[serde(default)]
    pub by_method: BTreeMap<String, u64>,
    /// Errors by the `type` in their JSON: answers with another status than 2xx, and error events of streams.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors_by_type: BTreeMap<String, u64>,
    /// The same by their `code`, where they have one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors_by_code: BTreeMap<String, u64>,
    /// Answers with a valid `Retry-After`.
    #[serde(default)]
    pub with_retry_after: u64,
    /// The time in it.
    #[serde(default)]
    pub retry_after_ms: Quantiles,
    /// From when a request was due to the end of its answer, of the completed ones.
    #[serde(default)]
    pub latency_ms: Quantiles,
    /// From when it was sent.
    #[serde(default)]
    pub latency_from_sent_ms: Quantiles,
    /// From when a request was due to the end of its answer, of those with another status than 2xx.
    #[serde(default)]
    pub rejection_latency_ms: Quantiles,
    /// From when the stream was due to its first token.
    pub time_to_first_token_ms: Quantiles,
    /// From when the request was sent to its first token.
    pub time_to_first_token_from_sent_ms: Quantiles,
    /// Between two tokens.
    pub inter_token_ms: Quantiles,
    /// The mean time between the tokens of a stream, of each completed one (time per output token).
    #[serde(default, skip_serializing_if = "Quantiles::is_empty")]
    pub time_per_token_ms: Quantiles,
    /// How many met the objectives for each request, if there were any (`run --slo 'ttft<500ms'`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goodput: Option<RequestGoodput>,
    /// Tokens received; of a whole answer, the first piece of it.
    pub chunks: u64,
    /// Tokens received per second, from the first stream to the end.
    pub chunks_per_second: f64,
    /// Bytes received of the bodies.
    #[serde(default)]
    pub bytes: u64,
    /// Tokens received; of a whole answer, those generated for it by the usage in it.
    #[serde(default)]
    pub tokens: u64,
    /// Completed answers by the hash of their text, where clients keep it. Hashes of different builds of this program
    /// cannot be compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, u64>,
    /// The steps of a sequence, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepResult>,
    /// The histograms of all its latencies (`run`, `verify`).
    #[serde(default, skip_serializing_if = "Histograms::is_empty")]
    pub histograms: Histograms,
}

/// One request of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepResult {
    /// Its name.
    pub name: String,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Why it was not completed.
    pub failure: Option<String>,
    /// From when it was sent to the end of its answer.
    pub duration_ms: f64,
    /// Tokens of the prompt and of the answer, if the answer has them.
    pub tokens: Option<u64>,
}

impl StreamStats {
    /// Sets the rates of what was counted in so many seconds.
    pub fn set_rates(&mut self, seconds: f64) {
        // A load that ended at once has no rate to speak of.
        let seconds = seconds.max(0.001);
        self.completed_per_second = self.completed as f64 / seconds;
        self.chunks_per_second = self.chunks as f64 / seconds;
        self.goodput.iter_mut().for_each(|goodput| goodput.per_second = goodput.met as f64 / seconds);
    }

    /// Streams that failed, were truncated or had stalled at the end of the run.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.failed.saturating_add(self.truncated).saturating_add(self.stalled)
    }

    /// Completed answers with the text that most of `reference` have.
    #[must_use]
    pub fn texts_as_in(&self, reference: &StreamStats) -> u64 {
        let usual = reference.texts.iter().max_by_key(|(_, count)| **count);
        usual.and_then(|(text, _)| self.texts.get(text)).copied().unwrap_or(0)
    }
}

/// Counts and latencies of calls with a whole answer, in JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "CallStats"))]
pub(super) struct WithOk<'a> {
    /// The older name of `completed`.
    ok: u64,
    #[serde(flatten)]
    calls: &'a StreamStats,
}

/// Calls have `ok` beside `completed`, which is the older name.
pub(super) fn calls_with_ok<S: Serializer>(calls: &Option<StreamStats>, serializer: S) -> Result<S::Ok, S::Error> {
    calls.as_ref().map(|calls| WithOk { ok: calls.completed, calls }).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::PhaseResult;

    #[test]
    fn calls_keep_the_older_name_of_completed() {
        let calls = Some(StreamStats { completed: 3, disconnected: 1, ..StreamStats::default() });
        let phase = PhaseResult { calls, ..PhaseResult::default() };
        let json = serde_json::to_value(&phase).expect("it is JSON");
        assert_eq!(
            (&json["calls"]["ok"], &json["calls"]["completed"], &json["calls"]["left"]),
            (&3.into(), &3.into(), &1.into())
        );
        let read: PhaseResult = serde_json::from_value(json).expect("it was written so");
        assert_eq!(read.calls.map(|calls| calls.completed), Some(3));
    }

    #[test]
    fn texts_are_compared_with_the_usual_one() {
        let texts = |counts: &[(&str, u64)]| StreamStats {
            texts: counts.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect(),
            ..StreamStats::default()
        };
        let reference = texts(&[("cut", 1), ("whole", 9)]);
        assert_eq!(texts(&[("cut", 4), ("other", 2), ("whole", 3)]).texts_as_in(&reference), 3);
        assert_eq!(texts(&[("cut", 4)]).texts_as_in(&reference), 0);
        assert_eq!(reference.texts_as_in(&StreamStats::default()), 0);
    }
}
