//! Objectives for each request, and those on how many meet them.

use super::of_objectives;
use crate::result::{ArmResult, Outcome, Quantiles, RequestGoodput, StreamStats};
use crate::verdict::Objective;

/// 100 streams that ended, 8 of them without being completed, of which 90 met what was required of each.
fn target() -> ArmResult {
    let goodput = RequestGoodput { met: 90, of: 100, per_second: 9.0, ..RequestGoodput::default() };
    let times = Quantiles { p50: 100.0, p90: 900.0, p99: 2_000.0, max: 2_000.0 };
    let streams = StreamStats {
        requested: 104,
        completed: 92,
        failed: 8,
        disconnected: 4,
        dropped: 3,
        chunks: 1_000,
        latency_ms: times,
        time_per_token_ms: times,
        goodput: Some(goodput),
        ..StreamStats::default()
    };
    ArmResult { streams, ..ArmResult::default() }
}

#[test]
fn goodput_is_judged_and_what_each_request_must_meet_is_not_by_itself() {
    let each = ["ttft<500ms", "e2e<=10s"];
    let judged = |more: &str| of_objectives(&[&each[..], &[more]].concat(), target());
    assert_eq!(judged("goodput>=90%").result, Outcome::Held);
    assert_eq!(judged("goodput>90%").result, Outcome::NotHeld);
    assert_eq!(judged("goodput_rate>=9").result, Outcome::Held);
    let claims = judged("goodput>=90%").claims;
    assert_eq!(claims.iter().map(|claim| claim.name.as_str()).collect::<Vec<_>>(), ["goodput>=90%"]);
    let all = of_objectives(&each, target());
    assert!(all.judged && all.claims.is_empty(), "whoever asks adds that all must: {all:?}");
    let all = Objective::all_meet();
    assert_eq!((all.to_string().as_str(), all.to_string().parse()), ("goodput>=100%", Ok(all)));
}

#[test]
fn a_quantile_of_all_that_ended_does_not_leave_out_the_failed_ones() {
    assert_eq!(of_objectives(&["e2e.p90<1s", "tpot.p50<=100ms", "dropped<=3"], target()).result, Outcome::Held);
    // Eight of a hundred failed: the 99th percentile is one of them, and has no latency.
    assert_eq!(of_objectives(&["e2e.p99<1h"], target()).result, Outcome::NotHeld);
    assert_eq!(of_objectives(&["dropped==0"], target()).result, Outcome::NotHeld);
    assert_eq!(of_objectives(&["goodput>=90%"], ArmResult::default()).result, Outcome::Invalid);
}

#[test]
fn a_request_has_an_upper_limit_with_or_without_its_end() {
    let limit = |text: &str| text.parse::<Objective>().unwrap().of_request();
    let (below, at_most) = (limit("ttft<500ms").unwrap(), limit("ttft <= 500ms").unwrap());
    let took = std::time::Duration::from_millis(500);
    assert!(!below.allows(took) && at_most.allows(took) && below.allows(took / 2) && !at_most.allows(took * 2));
    assert_eq!(limit("ttft.p99<500ms"), None);
    for text in ["e2e>1s", "tpot==1s"] {
        assert!(text.parse::<Objective>().unwrap_err().to_string().contains("compared by < or <="), "{text}");
    }
}
