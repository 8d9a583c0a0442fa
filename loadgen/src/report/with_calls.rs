//! The figures of `run --whole-answers` as what they are: calls, not streams.

use std::borrow::Cow;

use serde_json::Value;

use crate::result::{RunResult, StreamStats};

/// `result` as it is shown. In the file the requests of `run` are `streams` in any case; where they were to be answered as
/// a whole, they are calls here, which have no tokens.
pub(super) fn with_calls(result: &RunResult) -> Cow<'_, RunResult> {
    let are_whole = result.parameters.get("whole_answers").and_then(Value::as_bool) == Some(true);
    let mut shown = Cow::Borrowed(result);
    if are_whole && let Some(target) = &mut shown.to_mut().target {
        target.calls = Some(std::mem::take(&mut target.streams));
    }
    shown
}

/// The requests of a result that is shown so.
pub(super) fn requests(result: &RunResult) -> Option<(&'static str, &StreamStats)> {
    let target = result.target.as_ref()?;
    let (word, stats) = match &target.calls {
        Some(calls) => ("calls", calls),
        None => ("streams", &target.streams),
    };
    (stats.requested > 0).then_some((word, stats))
}
