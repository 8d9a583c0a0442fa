//! A line per second while a run is under way.

use std::sync::Arc;
use std::time::Duration;

use super::{Paint, Terminal, wrap};
use crate::engine::RunningArm;
use crate::lab::Phase;
use crate::live::{self, ProbeFrame};
use crate::measure::ProbeLog;
use crate::numbers::{count, short_millis};

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

impl<'a> LiveLines<'a> {
    /// Lines for this terminal.
    #[must_use]
    pub fn new(terminal: &'a Terminal) -> Self {
        LiveLines { terminal, probes: 0, cpu: 0 }
    }
}

impl LiveLines<'_> {
    /// Prints the heading.
    pub fn started(&mut self, arms: &[RunningArm]) {
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

    /// Prints the line of the second that ended at `now`.
    pub fn second(&self, phase: &Phase, now: Duration, arms: &[RunningArm]) {
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

/// The line of one second of one server, with what is left of the run, if that is known.
pub fn second_of_one(terminal: &Terminal, now: Duration, open: u64, probes: &[Arc<ProbeLog>], left: &str) {
    let cell = cell(terminal, open, probes.iter(), PROBE_OF_ONE, now);
    let left = if left.is_empty() { String::new() } else { terminal.paint(Paint::Dim, &format!("  {left}")) };
    line(terminal, &format!("{} s", now.as_secs()), &(cell + &left));
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

/// The state of a probe in the time since `since`, in a few columns.
pub(super) fn latest(log: &ProbeLog, since: Duration, now: Duration) -> (String, Paint) {
    match live::latest(log, since, now) {
        ProbeFrame::Idle => ("-".into(), Paint::Dim),
        ProbeFrame::Answered { ms } => (short_millis(ms), if ms < 100.0 { Paint::Green } else { Paint::Yellow }),
        ProbeFrame::Waiting { ms } | ProbeFrame::TimedOut { ms } => (format!(">{}s", (ms / 1000.0) as u64), Paint::Red),
        ProbeFrame::Refused { status } => (status.to_string(), Paint::Red),
        ProbeFrame::Failed => ("failed".into(), Paint::Red),
        ProbeFrame::NotSent => ("unsent".into(), Paint::Red),
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
