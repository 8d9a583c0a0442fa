//! The rows about streams, and about calls with a whole answer.

use crate::result::{ArmResult, PhaseResult, Quantiles, StreamStats};

use crate::numbers::count;

/// A row: its label, and a cell for each arm.
type Row<T> = (String, Vec<Option<T>>);

/// Requests with answers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Kind {
    Streams,
    Calls,
}

impl Kind {
    /// Those of an arm, phase by phase, or of the whole run where phases have none.
    fn all(self, arm: &ArmResult) -> Vec<&StreamStats> {
        let (of_phase, whole): (fn(&PhaseResult) -> Option<&StreamStats>, _) = match self {
            Kind::Streams => (|phase| phase.streams.as_ref(), Some(&arm.streams)),
            Kind::Calls => (|phase| phase.calls.as_ref(), arm.calls.as_ref()),
        };
        let of_phases: Vec<_> = arm.phases.iter().filter_map(of_phase).collect();
        if of_phases.is_empty() { whole.into_iter().collect() } else { of_phases }
    }

    /// Whether an arm has any.
    pub(in crate::report) fn is_in(self, arms: &[&ArmResult]) -> bool {
        arms.iter().any(|arm| self.all(arm).iter().any(|stats| stats.requested > 0))
    }
}

/// How the requests of this kind ended. Counts that are zero everywhere are left out.
pub(in crate::report) fn ends(arms: &[&ArmResult], kind: Kind, narrow: bool, disconnects: bool) -> Vec<Row<String>> {
    let total = |arm: &ArmResult, of: &dyn Fn(&StreamStats) -> u64| -> u64 { kind.all(arm).into_iter().map(of).sum() };
    let mut rows = Vec::new();
    let mut add = |label: &str, always: bool, of: &dyn Fn(&StreamStats) -> u64| {
        let totals: Vec<_> = arms.iter().map(|arm| total(arm, of)).collect();
        if always || totals.iter().any(|total| *total > 0) {
            rows.push((label.to_owned(), totals.into_iter().map(|total| Some(count(total))).collect::<Vec<_>>()));
        }
    };
    let (name, ended) = match kind {
        Kind::Streams => ("streams", "completed"),
        Kind::Calls => ("calls", "answered"),
    };
    add(&format!("{name} requested"), true, &|stats| stats.requested);
    add(&format!("  {ended}"), true, &|stats| stats.completed);
    if kind == Kind::Streams {
        add("    without [DONE]", false, &|stats| stats.without_done);
        add("    taken as complete", false, &|stats| stats.taken_as_complete);
    }
    add("  failed or truncated", false, &|stats| stats.failed + stats.truncated);
    let mut causes: Vec<_> =
        arms.iter().flat_map(|arm| kind.all(arm)).flat_map(|stats| stats.failures.keys()).collect();
    causes.sort();
    causes.dedup();
    for cause in causes {
        add(&format!("    {cause}"), true, &|stats| stats.failures.get(cause).copied().unwrap_or(0));
    }
    if kind == Kind::Streams {
        add("  stalled at the end", false, &|stats| stats.stalled);
        add("  without a token", false, &|stats| stats.without_token);
    }
    let open = if kind == Kind::Streams { "  still open at the end" } else { "  unanswered at the end" };
    add(if disconnects { "  disconnected by client" } else { open }, false, &|stats| stats.disconnected);
    if kind == Kind::Streams {
        add("    had stopped reading", false, &|stats| stats.stopped_reading);
    }
    add(&format!("{name} due and dropped"), false, &|stats| stats.dropped);
    if !narrow {
        join_first(&mut rows, &format!("{name} {ended}"));
    }
    rows
}

/// Joins the first two rows to one: `39 of 40`, or nothing of nothing.
fn join_first(rows: &mut Vec<Row<String>>, label: &str) {
    let (_, ended) = rows.remove(1);
    let (_, requested) = rows.remove(0);
    let of_all = |(ended, all): (Option<String>, Option<String>)| {
        let all = all.filter(|all| all != "0")?;
        Some(format!("{} of {all}", ended?))
    };
    let both = ended.into_iter().zip(requested).map(of_all);
    rows.insert(0, (label.to_owned(), both.collect()));
}

/// How long the calls of a phase took, and its rejections: by load where it has no streams.
pub(in crate::report) fn answer_times(arms: &[&ArmResult], phase: &str, title: &str) -> Vec<Row<Quantiles>> {
    let found: Vec<_> = arms.iter().map(|arm| arm.phase(phase)).collect();
    let only_calls = found.iter().flatten().all(|phase| phase.streams.is_none());
    let mut names: Vec<_> = found.iter().flatten().flat_map(|phase| phase.loads.keys().cloned()).collect();
    names.sort();
    names.dedup();
    let loads: Vec<Option<String>> = if only_calls { names.into_iter().map(Some).collect() } else { vec![None] };
    let mut rows = Vec::new();
    for load in loads {
        let stats: Vec<_> = found
            .iter()
            .map(|phase| match &load {
                Some(name) => (*phase)?.loads.get(name),
                None => (*phase)?.calls.as_ref(),
            })
            .collect();
        let name = load.as_deref().unwrap_or("calls");
        let times = |of: fn(&StreamStats) -> Quantiles| -> Vec<_> {
            stats.iter().map(|stats| stats.map(of).filter(|times| times.max > 0.0)).collect()
        };
        let (answers, rejections) = (times(|stats| stats.latency_ms), times(|stats| stats.rejection_latency_ms));
        let rejects = rejections.iter().any(Option::is_some);
        // Without an answer too: the row of rejections below it has no name of its own.
        if rejects || answers.iter().any(Option::is_some) {
            rows.push((format!("{name}, {title}"), answers));
        }
        if rejects {
            rows.push(("  rejected".to_owned(), rejections));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn arm(calls: StreamStats) -> ArmResult {
        let loads = BTreeMap::from([("users".to_owned(), calls.clone())]);
        let phase = PhaseResult { name: "loaded".to_owned(), calls: Some(calls), loads, ..PhaseResult::default() };
        ArmResult { phases: vec![phase], ..ArmResult::default() }
    }

    fn times(ms: f64) -> Quantiles {
        Quantiles { p50: ms, p90: ms, p99: ms, max: ms }
    }

    #[test]
    fn calls_have_rows_of_their_own() {
        let failures = BTreeMap::from([("status 429".to_owned(), 6)]);
        let rejected = StreamStats { rejection_latency_ms: times(2.0), failed: 6, failures, ..StreamStats::default() };
        let fixed = arm(StreamStats { requested: 10, completed: 4, latency_ms: times(300.0), ..rejected });
        let broken = arm(StreamStats { requested: 10, disconnected: 10, ..StreamStats::default() });
        let arms = [&broken, &fixed];
        assert!(Kind::Calls.is_in(&arms) && !Kind::Streams.is_in(&arms));
        let shown = |rows: Vec<Row<String>>| -> Vec<String> {
            let cells = |cells: Vec<Option<String>>| cells.into_iter().flatten().collect::<Vec<_>>().join(" | ");
            rows.into_iter().map(|(label, row)| format!("{label}: {}", cells(row))).collect()
        };
        let rest = ["  failed or truncated: 0 | 6", "    status 429: 0 | 6", "  disconnected by client: 10 | 0"];
        let wide = shown(ends(&arms, Kind::Calls, false, true));
        assert_eq!(wide, [&["calls answered: 0 of 10 | 4 of 10"], &rest[..]].concat());
        let narrow = shown(ends(&arms, Kind::Calls, true, true));
        assert_eq!(narrow[..2], ["calls requested: 10 | 10", "  answered: 0 | 4"]);
        let answered = answer_times(&arms, "loaded", "60/s");
        let labels: Vec<_> = answered.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["users, 60/s", "  rejected"]);
        assert_eq!(answered[0].1, [None, Some(times(300.0))], "nobody was answered by the broken server");
        let all_rejected =
            arm(StreamStats { requested: 10, failed: 10, rejection_latency_ms: times(2.0), ..StreamStats::default() });
        let of_nobody = answer_times(&[&all_rejected], "loaded", "60/s");
        assert_eq!(of_nobody[0], ("users, 60/s".to_owned(), vec![None]));
    }
}
