//! The verdict of `loadgen sequence`.

use super::{Verdict, decide};
use crate::http::OWN_LIMIT;
use crate::result::{ArmResult, ClaimKind, ClaimResult, SequenceStats, Unit};

/// The verdict of `loadgen sequence`: every call got its answer. That the vendor counted other tokens than the table
/// has is a warning: nothing can then be said about that many tokens.
#[must_use]
pub fn of_sequence(target: &ArmResult, sequence: &SequenceStats) -> Verdict {
    let calls = sequence.calls.len();
    let claim = ClaimResult {
        name: format!("calls answered=={calls}"),
        kind: ClaimKind::Effect,
        arm: "target".into(),
        measured: Some(sequence.ok() as f64),
        comparison: "==".into(),
        threshold: calls as f64,
        unit: Unit::CALLS,
        general: false,
        held: sequence.ok() == calls as u64,
    };
    let not_sent = target.streams.failures.contains_key(OWN_LIMIT);
    let mut verdict = decide(vec![claim], not_sent.then(|| OWN_LIMIT.to_owned()).into_iter().collect());
    verdict.warnings.extend(other_tokens(sequence));
    verdict
}

fn other_tokens(sequence: &SequenceStats) -> Option<String> {
    let counted = sequence.calls.iter().filter_map(|call| Some((call, call.vendor_tokens?)));
    let (calls, counted, planned) = counted.fold((0, 0, 0), |(calls, counted, planned), (call, tokens)| {
        (calls + 1, counted + tokens, planned + call.request_tokens + call.answer_tokens)
    });
    (counted != planned).then(|| {
        let remedy = if counted < planned { " (are its answers shorter than max_tokens?)" } else { "" };
        format!("the vendor counted {counted} tokens in {calls} answered calls, the table has {planned}{remedy}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{Outcome, SequenceCall};

    fn call(number: u32, ok: bool, vendor_tokens: Option<u64>) -> SequenceCall {
        SequenceCall {
            call: number,
            request_tokens: 90,
            answer_tokens: 10,
            cumulative_tokens: 100 * u64::from(number),
            status: Some(if ok { 200 } else { 500 }),
            duration_ms: 1.0,
            ok,
            failure: None,
            vendor_tokens,
        }
    }

    fn judged(calls: Vec<SequenceCall>) -> (Verdict, SequenceStats) {
        let sequence = SequenceStats::new(calls);
        (of_sequence(&ArmResult::default(), &sequence), sequence)
    }

    #[test]
    fn one_failed_call_is_enough_and_the_first_one_is_named() {
        let (verdict, sequence) = judged(vec![call(1, true, Some(100)), call(2, false, None), call(3, false, None)]);
        assert_eq!(verdict.result, Outcome::NotHeld);
        let first = sequence.first_failure.map(|first| (first.call, first.cumulative_tokens));
        assert_eq!((first, sequence.ok(), sequence.tokens()), (Some((2, 200)), 1, 300));
        assert!(verdict.warnings.is_empty(), "{:?}", verdict.warnings);
        let (verdict, sequence) = judged(vec![call(1, true, None)]);
        assert_eq!((verdict.result, sequence.first_failure), (Outcome::Held, None));
    }

    #[test]
    fn other_tokens_than_planned_are_a_warning() {
        let (verdict, _) = judged(vec![call(1, true, Some(93)), call(2, true, None)]);
        assert_eq!(verdict.result, Outcome::Held);
        let expected = "the vendor counted 93 tokens in 1 answered calls, the table has 100";
        assert!(verdict.warnings[0].starts_with(expected), "{:?}", verdict.warnings);
    }
}
