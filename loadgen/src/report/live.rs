//! A line per second while a run is under way.

use std::sync::Arc;
use std::time::Duration;

use super::{Paint, Terminal, wrap};
use crate::engine::{Progress, RunningArm};
use crate::lab::Phase;
use crate::measure::{ProbeLog, ProbeOutcome, ProbeRecord};
use crate::numbers::{count, in_millis, short_millis};

/// A line per second: open streams, health latency and processor use of each arm.
pub struct LiveLines<'a> {
    terminal: &'a Terminal,
    /// Probes that fit; the first ones of each arm are shown.
    probes: usize,
    /// Columns of the processor use; zero where there are too many arms.
    cpu: usize,
}

/// Columns for all arms together, after the time.
const COLUMNS: usize = 75;
/// Columns of the open streams, of one probe, and of the processor use.
const OPEN: usize = 6;
const PROBE: usize = 7;
const CPU: usize = 5;
/// Arms for which there are columns; of more, only the sum is shown.
const ARMS_MAX: usize = COLUMNS / (OPEN + PROBE);
/// Columns of one probe where there is only one server.
const PROBE_OF_ONE: usize = 8;
const SECOND: Duration = Duration::from_secs(1);
/// A probe that has waited this long is shown as waiting, in place of the last answer.
const WAIT_SHOWN: Duration = Duration::from_secs(1);

impl<'a> LiveLines<'a> {
    /// Lines for this terminal.
    #[must_use]
    pub fn new(terminal: &'a Terminal) -> Self {
        LiveLines { terminal, probes: 0, cpu: 0 }
    }
}

impl Progress for LiveLines<'_> {
    fn started(&mut self, arms: &[RunningArm]) {
        if arms.len() > ARMS_MAX {
            let what = format!("  open: requests without an answer, of all {} servers.", arms.len());
            return self.terminal.line(self.terminal.paint(Paint::Dim, &what));
        }
        let there = arms.first().map_or(0, |arm| arm.probes.len());
        let room = COLUMNS / arms.len().max(1);
        self.cpu = if room >= OPEN + PROBE + CPU { CPU } else { 0 };
        self.probes = room.saturating_sub(OPEN + self.cpu).div_euclid(PROBE).clamp(1, there.max(1));
        let width = OPEN + self.probes * PROBE + self.cpu;
        legend(self.terminal, arms.first().map_or(&[][..], |arm| &arm.probes), self.probes);
        let title = |arm: &RunningArm| if arms.len() > 3 { arm.name } else { arm_title(arm.name) };
        let titles: Vec<_> = arms.iter().map(|arm| format!("  {:<1$}", title(arm), width - 2)).collect();
        line(self.terminal, "", &self.terminal.paint(Paint::Bold, &titles.concat()));
        let names = arms.first().into_iter().flat_map(|arm| &arm.probes).take(self.probes);
        let names: String = names.map(|log| format!(" {:>1$.1$}", short_name(&log.kind.name), PROBE - 1)).collect();
        let cpu = if self.cpu > 0 { format!("{:>CPU$}", "cpu") } else { String::new() };
        let heads = format!("{:>OPEN$}{names}{cpu}", "open").repeat(arms.len());
        line(self.terminal, "", &self.terminal.paint(Paint::Dim, &heads));
    }

    fn second(&mut self, phase: &Phase, now: Duration, arms: &[RunningArm]) {
        let second = format!("{} s", now.as_secs());
        if arms.len() > ARMS_MAX {
            let open = arms.iter().map(|arm| arm.server_samples.active()).sum::<u64>();
            return line(self.terminal, &second, &format!("{:>OPEN$} open, {}", count(open), phase.title));
        }
        let cells = arms.iter().map(|arm| {
            let cpu = arm.server_samples.cpu_cores(now.saturating_sub(SECOND), now);
            let cpu = cpu.map_or_else(|| "-".to_owned(), |cores| format!("{:.0}%", cores * 100.0));
            let cpu = if self.cpu > 0 { format!("{cpu:>CPU$}") } else { String::new() };
            cell(self.terminal, arm.server_samples.active(), arm.probes.iter().take(self.probes), PROBE, now) + &cpu
        });
        line(self.terminal, &second, &cells.collect::<String>());
    }
}

/// Explains the columns.
fn legend(terminal: &Terminal, probes: &[Arc<ProbeLog>], shown: usize) {
    let dim = |text: &str| terminal.line(terminal.paint(Paint::Dim, text));
    let health = |log: &ProbeLog| match log.kind.name.as_str() {
        "health_sync" => "sync: a health check on the thread pool".to_owned(),
        "health_async" => "async: one on the event loop".to_owned(),
        name => format!("{}: {}", short_name(name), log.kind.path),
    };
    let meanings: Vec<_> = probes.iter().take(shown).map(|log| health(log)).collect();
    dim("  open: streams and calls. cpu: share of one processor. >3s: no answer for 3 s.");
    dim(&wrap("  ", &format!("{}.", meanings.join(". "))));
    terminal.line("");
}

/// The last word of a probe's name: `sync` of `health_sync`, `file` of `read_file`.
fn short_name(name: &str) -> &str {
    name.rsplit('_').next().unwrap_or(name)
}

/// The heading for the lines of one server.
pub fn heading_of_one(terminal: &Terminal, server: &str, probes: &[Arc<ProbeLog>]) {
    let kinds: Vec<_> = probes.iter().map(|log| log.kind.path.as_str()).collect();
    line(terminal, "", &terminal.paint(Paint::Bold, &format!("  {server}")));
    let latency = if kinds.is_empty() { String::new() } else { format!("  latency of {}", kinds.join(", ")) };
    line(terminal, "", &terminal.paint(Paint::Dim, &format!("  open{latency}")));
}

/// The line of one second of one server.
pub fn second_of_one(terminal: &Terminal, now: Duration, open: u64, probes: &[Arc<ProbeLog>]) {
    line(terminal, &format!("{} s", now.as_secs()), &cell(terminal, open, probes.iter(), PROBE_OF_ONE, now));
}

fn line(terminal: &Terminal, first: &str, rest: &str) {
    terminal.line(format!("{first:>5}{rest}").trim_end());
}

/// Open streams, and the state of each probe in the second that ended at `now`.
fn cell<'a>(
    terminal: &Terminal,
    open: u64,
    probes: impl Iterator<Item = &'a Arc<ProbeLog>>,
    width: usize,
    now: Duration,
) -> String {
    let mut text = format!("{:>OPEN$}", count(open));
    for log in probes {
        let (state, paint) = latest(log, now.saturating_sub(SECOND), now);
        let pad = " ".repeat(width.saturating_sub(state.chars().count()));
        text += &format!("{pad}{}", terminal.paint(paint, &state));
    }
    text
}

/// The state of a probe: timed out in the last second, waiting, or the median of that second.
pub(super) fn latest(log: &ProbeLog, since: Duration, now: Duration) -> (String, Paint) {
    let waiting = log.longest_wait(now).filter(|waiting| *waiting >= WAIT_SHOWN);
    if let Some(without_answer) = log.timed_out_between(since, now).or(waiting) {
        return (format!(">{}s", without_answer.as_secs()), Paint::Red);
    }
    let mut due = log.due_between(since, now);
    due.sort_by_key(|record| record.latency);
    match due.get(due.len() / 2) {
        None => ("-".into(), Paint::Dim),
        Some(record) if record.outcome == ProbeOutcome::NotSent => ("unsent".into(), Paint::Red),
        Some(ProbeRecord { outcome: ProbeOutcome::Refused(status), .. }) => (status.to_string(), Paint::Red),
        Some(record) if record.outcome.failure().is_some() => ("failed".into(), Paint::Red),
        Some(record) => {
            let latency = in_millis(record.latency);
            (short_millis(latency), if latency < 100.0 { Paint::Green } else { Paint::Yellow })
        }
    }
}

/// The title of an arm's columns.
fn arm_title(arm: &str) -> &str {
    match arm {
        "broken" => "broken-server",
        "control" => "control (actix too)",
        "fixed" => "fixed-server",
        other => other,
    }
}
