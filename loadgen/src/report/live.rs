use std::sync::Arc;
use std::time::Duration;

use super::{Paint, Terminal, count, millis};
use crate::lab::{Lab, Phase, Progress, RunningArm};
use crate::measure::{ProbeLog, ProbeOutcome};
use crate::result::ArmName;

/// A line a second: streams open and health latency of each arm.
pub struct LiveLines<'a> {
    terminal: &'a Terminal,
}

/// Width of an arm's part of a line; three of them and the margin fit 80 columns.
const CELL: usize = 23;
/// From here on a waiting probe is shown as waiting, not as the last answer.
const WAIT_SHOWN: Duration = Duration::from_secs(1);

impl<'a> LiveLines<'a> {
    /// Lines on this terminal.
    #[must_use]
    pub fn new(terminal: &'a Terminal) -> Self {
        LiveLines { terminal }
    }
}

impl Progress for LiveLines<'_> {
    fn started(&mut self, _: &Lab, arms: &[RunningArm]) {
        let titles: Vec<_> = arms.iter().map(|arm| format!("{:<CELL$}", arm_title(arm.name))).collect();
        line(self.terminal, "", &self.terminal.paint(Paint::Bold, &titles.concat()));
        let heads = format!("{:<CELL$}", " open    sync   async").repeat(arms.len());
        line(self.terminal, "", &self.terminal.paint(Paint::Dim, &heads));
    }

    fn second(&mut self, _: &Phase, now: Duration, arms: &[RunningArm]) {
        let cells = arms.iter().map(|arm| cell(self.terminal, arm.watched.active(), &arm.probes, now));
        line(self.terminal, &format!("{} s", now.as_secs()), &cells.collect::<Vec<_>>().concat());
    }
}

/// The heading over the lines of one server.
pub fn heading_of_one(terminal: &Terminal, server: &str, probes: &[Arc<ProbeLog>]) {
    let kinds: Vec<_> = probes.iter().map(|log| log.kind.path.as_str()).collect();
    line(terminal, "", &terminal.paint(Paint::Bold, server));
    line(terminal, "", &terminal.paint(Paint::Dim, &format!(" open  latency of {}", kinds.join(", "))));
}

/// The line of a second of one server.
pub fn second_of_one(terminal: &Terminal, now: Duration, open: u64, probes: &[Arc<ProbeLog>]) {
    line(terminal, &format!("{} s", now.as_secs()), &cell(terminal, open, probes, now));
}

fn line(terminal: &Terminal, first: &str, rest: &str) {
    terminal.line(format!("{first:>5}  {rest}").trim_end());
}

/// Streams open, and the state of each probe in the second that ended at `now`.
fn cell(terminal: &Terminal, open: u64, probes: &[Arc<ProbeLog>], now: Duration) -> String {
    const WIDTH: usize = 8;
    let mut text = format!("{:>5}", count(open));
    for log in probes {
        let (state, paint) = latest(log, now.saturating_sub(Duration::from_secs(1)), now);
        let pad = " ".repeat(WIDTH.saturating_sub(state.chars().count()));
        text += &format!("{pad}{}", terminal.paint(paint, &state));
    }
    text + "  "
}

/// The state of a probe: timed out in the last second, waiting, or the median of that second.
fn latest(log: &ProbeLog, since: Duration, now: Duration) -> (String, Paint) {
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
        Some(record) if record.outcome == ProbeOutcome::Failed => ("failed".into(), Paint::Red),
        Some(record) => {
            let latency = record.latency.as_secs_f64() * 1000.0;
            (millis(latency), if latency < 100.0 { Paint::Green } else { Paint::Yellow })
        }
    }
}

/// An arm's name for people.
pub(super) fn arm_title(arm: ArmName) -> &'static str {
    match arm {
        ArmName::Broken => "broken-server",
        ArmName::Control => "control (actix too)",
        ArmName::Fixed => "fixed-server",
    }
}
