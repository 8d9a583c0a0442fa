//! The verdict on a run, and what is to be known beside it.

use super::super::warnings::warnings;
use super::plan::RunPlan;
use crate::numbers::count;
use crate::result::{Outcome, RunResult, StreamStats};
use crate::traffic::Schedule;
use crate::verdict;

/// `result` with its verdict.
pub(super) fn judged(plan: &RunPlan, mut result: RunResult) -> RunResult {
    if !result.verdict.invalid_because.is_empty() {
        return result;
    }
    let streams = result.target.as_ref().map(|target| target.streams.clone()).unwrap_or_default();
    let low = missing_pressure(plan, &streams);
    let (always, if_all_met) = if streams.lost() == 0 { (low, Vec::new()) } else { (Vec::new(), low) };
    result.verdict = verdict::of_run(&plan.objectives, &result, always);
    if result.verdict.result == Outcome::Held && !if_all_met.is_empty() {
        result.verdict = verdict::of_run(&plan.objectives, &result, if_all_met);
    }
    let (request, whole) = (plan.request(), !plan.load.exchange.request.answer.is_stream());
    let beside = result.target.as_ref().map(|target| warnings(target, &request, whole)).unwrap_or_default();
    result.verdict.warnings = [not_sent(plan, &streams), beside].concat();
    result
}

/// Why the server was not under the requested load. If streams were lost, the objectives should show that; this
/// applies if none of them does.
fn missing_pressure(plan: &RunPlan, streams: &StreamStats) -> Vec<String> {
    let (peak, what) = (streams.peak_active, plan.requests_word());
    match plan.load.schedule {
        _ if streams.requested == 0 && streams.dropped == 0 => {
            let left_out =
                if plan.warm_up.is_zero() { "" } else { "; those that were due in the warm-up are left out" };
            vec![format!("the pressure was missing: none of the {what} was due in the measured time{left_out}")]
        }
        _ if streams.failed + streams.truncated == streams.requested && streams.chunks == 0 => {
            vec![format!("the pressure was missing: no {} delivered anything", what.trim_end_matches('s'))]
        }
        // A number of requests is the load that was asked for, however few of them a fast server has open at once.
        Schedule::Concurrency { count, .. } if plan.load.requests_max == u64::MAX && peak < u64::from(count) => {
            vec![format!("the pressure was missing: at most {peak} of {count} {what} were open at once")]
        }
        _ => Vec::new(),
    }
}

/// What the run did not send, though it was due or asked for.
fn not_sent(plan: &RunPlan, streams: &StreamStats) -> Vec<String> {
    let (requested, what) = (streams.requested, plan.requests_word());
    let mut not_sent = Vec::new();
    if let (Some(most), 1..) = (plan.load.in_flight_max, streams.dropped) {
        let (dropped, due) = (count(streams.dropped), count(streams.dropped + requested));
        not_sent.push(format!(
            "{dropped} of {due} {what} that were due were dropped, because {most} were open (--max-in-flight): how long they would have waited is in no latency"
        ));
    }
    let wanted = plan.load.requests_max;
    if wanted != u64::MAX && plan.warm_up.is_zero() && requested < wanted {
        not_sent.push(format!(
            "{} of {} {what} were sent: --duration {:?} was over before",
            count(requested),
            count(wanted),
            plan.duration
        ));
    }
    not_sent
}
