use std::sync::Arc;
use std::time::Duration;

use super::{Paint, Terminal, count, millis};
use crate::lab::{Phase, Progress, RunningArm};
use crate::measure::{ProbeLog, ProbeOutcome, ProbeRecord};

/// A line a second: streams open and health latency of each arm.
pub struct LiveLines<'a> {
    terminal: &'a Terminal,
    /// Probes for which there is room; the first ones of each arm are shown.
    probes: usize,
}

/// Columns for all arms together, after the time.
const COLUMNS: usize = 73;
/// Columns of the streams open, and of one probe.
const OPEN: usize = 5;
const PROBE: usize = 8;
/// Columns between one arm and the next.
const GAP: usize = 2;
/// From here on a waiting probe is shown as waiting, not as the last answer.
const WAIT_SHOWN: Duration = Duration::from_secs(1);

impl<'a> LiveLines<'a> {
    /// Lines on this terminal.
    #[must_use]
    pub fn new(terminal: &'a Terminal) -> Self {
        LiveLines { terminal, probes: 0 }
    }
}

impl Progress for LiveLines<'_> {
    fn started(&mut self, arms: &[RunningArm]) {
        let there = arms.first().map_or(0, |arm| arm.probes.len());
        self.probes = (COLUMNS / arms.len().max(1)).saturating_sub(OPEN + GAP).div_euclid(PROBE).clamp(1, there.max(1));
        let width = OPEN + self.probes * PROBE + GAP;
        let title = |arm: &RunningArm| if arms.len() > 3 { arm.name } else { arm_title(arm.name) };
        let titles: Vec<_> = arms.iter().map(|arm| format!("{:<width$}", title(arm))).collect();
        line(self.terminal, "", &self.terminal.paint(Paint::Bold, &titles.concat()));
        let names = arms.first().into_iter().flat_map(|arm| &arm.probes).take(self.probes);
        let names: String = names.map(|log| format!("{:>PROBE$}", short_name(&log.kind.name))).collect();
        let heads = format!("{:<width$}", format!("{:>OPEN$}{names}", "open")).repeat(arms.len());
        line(self.terminal, "", &self.terminal.paint(Paint::Dim, &heads));
    }

    fn second(&mut self, _: &Phase, now: Duration, arms: &[RunningArm]) {
        let cells =
            arms.iter().map(|arm| cell(self.terminal, arm.watched.active(), arm.probes.iter().take(self.probes), now));
        line(self.terminal, &format!("{} s", now.as_secs()), &cells.collect::<Vec<_>>().concat());
    }
}

/// The last word of a probe's name: `sync` of `health_sync`.
fn short_name(name: &str) -> &str {
    name.strip_prefix("health_").unwrap_or(name)
}

/// The heading over the lines of one server.
pub fn heading_of_one(terminal: &Terminal, server: &str, probes: &[Arc<ProbeLog>]) {
    let kinds: Vec<_> = probes.iter().map(|log| log.kind.path.as_str()).collect();
    line(terminal, "", &terminal.paint(Paint::Bold, server));
    line(terminal, "", &terminal.paint(Paint::Dim, &format!(" open  latency of {}", kinds.join(", "))));
}

/// The line of a second of one server.
pub fn second_of_one(terminal: &Terminal, now: Duration, open: u64, probes: &[Arc<ProbeLog>]) {
    line(terminal, &format!("{} s", now.as_secs()), &cell(terminal, open, probes.iter(), now));
}

fn line(terminal: &Terminal, first: &str, rest: &str) {
    terminal.line(format!("{first:>5}  {rest}").trim_end());
}

/// Streams open, and the state of each probe in the second that ended at `now`.
fn cell<'a>(terminal: &Terminal, open: u64, probes: impl Iterator<Item = &'a Arc<ProbeLog>>, now: Duration) -> String {
    let mut text = format!("{:>OPEN$}", count(open));
    for log in probes {
        let (state, paint) = latest(log, now.saturating_sub(Duration::from_secs(1)), now);
        let pad = " ".repeat(PROBE.saturating_sub(state.chars().count()));
        text += &format!("{pad}{}", terminal.paint(paint, &state));
    }
    text + &" ".repeat(GAP)
}

/// The state of a probe: timed out in the last second, waiting, or the median of that second.
pub(super) fn latest(log: &ProbeLog, since: Duration, now: Duration) -> (String, Paint) {
    if log.timed_out_between(since, now) {
        return ("timeout".into(), Paint::Red);
    }
    if let Some(waiting) = log.longest_wait(now).filter(|waiting| *waiting >= WAIT_SHOWN) {
        return (format!(">{:.0} s", waiting.as_secs_f64().floor()), Paint::Red);
    }
    let mut due = log.due_between(since, now);
    due.sort_by_key(|record| record.latency);
    match due.get(due.len() / 2) {
        None => ("-".into(), Paint::Dim),
        Some(record) if record.outcome == ProbeOutcome::NotSent => ("not sent".into(), Paint::Red),
        Some(ProbeRecord { outcome: ProbeOutcome::Refused(status), .. }) => (status.to_string(), Paint::Red),
        Some(record) if record.outcome.failure().is_some() => ("failed".into(), Paint::Red),
        Some(record) => {
            let latency = record.latency.as_secs_f64() * 1000.0;
            (millis(latency), if latency < 100.0 { Paint::Green } else { Paint::Yellow })
        }
    }
}

/// An arm's name for people.
fn arm_title(arm: &str) -> &str {
    match arm {
        "broken" => "broken-server",
        "control" => "control (actix too)",
        "fixed" => "fixed-server",
        other => other,
    }
}
