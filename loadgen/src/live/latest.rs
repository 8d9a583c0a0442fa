//! The latest of a probe.

use std::time::Duration;

use super::ProbeFrame;
use crate::measure::{ProbeLog, ProbeOutcome, ProbeSeen};
use crate::numbers::in_millis;

/// A probe that has waited this long is shown as waiting, in place of the last answer.
const WAIT_SHOWN: Duration = Duration::from_secs(1);

/// The state of a probe at `now`: timed out since `since`, or waiting, or the median of those that were due since.
#[must_use]
pub fn latest(log: &ProbeLog, since: Duration, now: Duration) -> ProbeFrame {
    let (mut timed_out, mut waiting, mut due) = (None, None, Vec::new());
    log.visit(since, |probe| match probe {
        ProbeSeen::Waiting(due) => waiting = waiting.max(Some(now.saturating_sub(due))),
        ProbeSeen::Ended(record) => {
            let is_recent = (since..now).contains(&(record.due + record.latency));
            if record.outcome == ProbeOutcome::TimedOut && is_recent {
                timed_out = timed_out.max(Some(record.latency));
            }
            if (since..now).contains(&record.due) {
                due.push((record.latency, record.outcome));
            }
        }
    });
    if let Some(limit) = timed_out {
        return ProbeFrame::TimedOut { ms: in_millis(limit) };
    }
    if let Some(wait) = waiting.filter(|wait| *wait >= WAIT_SHOWN) {
        return ProbeFrame::Waiting { ms: in_millis(wait) };
    }
    due.sort_by_key(|(latency, _)| *latency);
    let Some((latency, outcome)) = due.get(due.len() / 2) else { return ProbeFrame::Idle };
    match *outcome {
        ProbeOutcome::Ok => ProbeFrame::Answered { ms: in_millis(*latency) },
        ProbeOutcome::TimedOut => ProbeFrame::TimedOut { ms: in_millis(*latency) },
        ProbeOutcome::Refused(status) => ProbeFrame::Refused { status },
        ProbeOutcome::Failed(_) => ProbeFrame::Failed,
        ProbeOutcome::NotSent => ProbeFrame::NotSent,
    }
}
