//! The table of figures.

pub(super) mod deployment;
pub(super) mod requests;

use serde_json::Value;

use self::requests::Kind;
use super::terminal::table_columns;
use super::{Paint, Terminal};
use crate::lab::LOADED;
use crate::numbers::{bytes, count, short_millis};
use crate::result::{ArmResult, ClosedLoopStats, PhaseResult, ProbeStats, Quantiles, RunResult};

/// One line of a table: its label, and its cell in each column.
struct Row {
    label: String,
    cells: Vec<String>,
}

/// Minimum width of a label.
const LABEL_MIN: usize = 24;
/// Maximum width of a cell.
const CELL_MAX: usize = 18;
/// Width of one quantile.
const QUANTILE: usize = 6;

/// Width of `2,000 of 2,060` with a space before it.
const OF_ALL: usize = 15;

/// Some arms side by side.
struct Table<'a> {
    arms: Vec<&'a ArmResult>,
    /// Whether clients were to disconnect; otherwise a stream that the generator closed was open at the end.
    disconnects: bool,
    /// Whether the time to the first token has a row. Of `run` it stands below the table, with the other times.
    first_token: bool,
    /// Width of a label.
    label: usize,
    /// Width of a cell.
    cell: usize,
    rows: Vec<Row>,
}

/// Arms for which there are columns.
pub const ARMS_MAX: usize = 5;

/// Prints a lab's arms side by side, if they are few enough.
pub fn comparison(terminal: &Terminal, result: &RunResult) {
    if result.arms.len() > ARMS_MAX {
        return;
    }
    let few = result.arms.len() <= 3;
    let titles: Vec<_> = result.arms.keys().map(|arm| if few { column_title(arm) } else { arm }).collect();
    let mut table = Table::new(result.arms.values().collect(), disconnects(result));
    table.fill(&result.phases());
    table.print(terminal, &titles);
}

/// Prints the figures of one server.
pub fn single(terminal: &Terminal, result: &RunResult) {
    let Some(target) = &result.target else { return };
    let mut table = Table::new(vec![target], disconnects(result));
    table.first_token = result.command != "run";
    table.fill(&result.phases());
    table.print(terminal, &[&target.program.replace("http://", "")]);
}

/// The title of an arm's column, short enough to leave room between columns.
fn column_title(arm: &str) -> &str {
    match arm {
        "broken" => "broken-server",
        "fixed" => "fixed-server",
        other => other,
    }
}

/// A label and its cells. A label that is too long takes from the space before the first cell.
fn joined(label: &str, width: usize, cells: &str) -> String {
    let over = label.chars().count().saturating_sub(width);
    let space = cells.len() - cells.trim_start_matches(' ').len();
    format!("{label:<width$}{}", &cells[over.min(space.saturating_sub(1))..])
}

/// Columns of a label and of a cell in a table of this many arms and this width.
fn widths(arms: usize, width: usize) -> (usize, usize) {
    let columns = arms.max(1);
    let cell = ((width - 1 - LABEL_MIN) / columns).min(CELL_MAX);
    ((width - 1 - (cell * columns.max(3)).min(width - 1)).max(LABEL_MIN), cell)
}

impl<'a> Table<'a> {
    fn new(arms: Vec<&'a ArmResult>, disconnects: bool) -> Self {
        let (label, cell) = widths(arms.len(), table_columns());
        Table { arms, disconnects, first_token: true, label, cell, rows: Vec::new() }
    }

    fn print(&self, terminal: &Terminal, titles: &[&str]) {
        let (label, width) = (self.label, self.cell);
        let titles: String = titles.iter().map(|title| format!("{title:>width$}")).collect();
        terminal.line(terminal.paint(Paint::Bold, &format!(" {:<label$}{titles}", "")));
        for row in &self.rows {
            let cells: String = row.cells.iter().map(|cell| format!("{cell:>width$}")).collect();
            terminal.line(format!(" {}", joined(&row.label, label, &cells)));
        }
    }

    fn fill(&mut self, phases: &[&PhaseResult]) {
        let heads = self.shown(["p50", "p99", "max"].map(|head| format!("{head:>QUANTILE$}")));
        self.row("time to answer", |_| Some(heads.clone()));
        for (name, title) in phases.iter().map(|phase| (phase.name.as_str(), phase.title())) {
            self.probe_rows(name, title);
            self.closed_loop_rows(name, title);
            for (label, times) in requests::answer_times(&self.arms, name, title) {
                let cells = times.into_iter().map(|times| Some(self.quantiles(times?))).collect();
                self.add_rows(vec![(label, cells)]);
            }
            self.add_rows(deployment::rows(&self.arms, name, title));
        }
        if self.first_token && Kind::Streams.is_in(&self.arms) {
            let first_token = |arm: &ArmResult| (arm.streams.chunks > 0).then_some(arm.streams.time_to_first_token_ms);
            let cells = self.shown_of(first_token);
            self.rows.push(Row { label: "first token".to_owned(), cells });
        }
        self.request_rows();
        self.process_rows();
        self.stop_rows();
    }

    fn row(&mut self, label: &str, cell: impl Fn(&ArmResult) -> Option<String>) {
        let cells = self.arms.iter().map(|arm| cell(arm).unwrap_or_else(|| "-".to_owned())).collect();
        self.rows.push(Row { label: label.to_owned(), cells });
    }

    /// A row that is left out when it is zero everywhere.
    fn row_if_any(&mut self, label: &str, of: impl Fn(&ArmResult) -> u64, cell: impl Fn(&ArmResult) -> Option<String>) {
        if self.arms.iter().any(|arm| of(arm) > 0) {
            self.row(label, cell);
        }
    }

    /// As many of p50, p99 and maximum as fit; the 99th percentile in any case.
    fn shown(&self, [p50, p99, max]: [String; 3]) -> String {
        match self.cell / QUANTILE {
            0 | 1 => p99,
            2 => p50 + &p99,
            _ => p50 + &p99 + &max,
        }
    }

    fn quantiles(&self, quantiles: Quantiles) -> String {
        let cells = [quantiles.p50, quantiles.p99, quantiles.max];
        self.shown(cells.map(|millis| format!("{:>QUANTILE$}", short_millis(millis))))
    }

    fn shown_of(&self, of: impl Fn(&ArmResult) -> Option<Quantiles>) -> Vec<String> {
        self.arms.iter().map(|arm| of(arm).map_or_else(|| "-".to_owned(), |found| self.quantiles(found))).collect()
    }

    fn probe_rows(&mut self, phase: &str, title: &str) {
        let there = self.arms.iter().flat_map(|arm| &arm.phases).find(|candidate| candidate.name == phase);
        let probes: Vec<_> = there.map(|phase| phase.probes.keys().rev().cloned().collect()).unwrap_or_default();
        for probe in &probes {
            // A probe that failed has no latency.
            let timed = |arm: &ArmResult| probe_stats(arm, phase, probe).filter(|stats| stats.timed() > 0).cloned();
            let cells = self.shown_of(|arm| Some(timed(arm)?.latency_ms));
            self.rows.push(Row { label: format!("{}, {title}", probe.replace('_', "-")), cells });
            let mut add = |label: &str, of: &dyn Fn(&ProbeStats) -> u64| {
                let stats = |arm: &ArmResult| probe_stats(arm, phase, probe).cloned();
                let cell = |arm: &ArmResult| stats(arm).map(|stats| format!("{} of {}", of(&stats), stats.sent));
                self.row_if_any(label, |arm| stats(arm).map_or(0, |stats| of(&stats)), cell);
            };
            add("  timed out", &|stats| stats.timed_out);
            add("  failed", &|stats| stats.failed);
            add("  not sent", &|stats| stats.not_sent);
            for word in ["healthy", "degraded", "unhealthy"] {
                add(&format!("  says {word}"), &|stats| stats.field_values.get(word).copied().unwrap_or(0));
            }
        }
    }

    fn closed_loop_rows(&mut self, phase: &str, title: &str) {
        let stats = |arm: &ArmResult| -> Option<ClosedLoopStats> { arm.phase(phase)?.closed_loop.clone() };
        if self.arms.iter().all(|arm| stats(arm).is_none()) {
            return;
        }
        let cells = self.shown_of(|arm| Some(stats(arm)?.latency_ms));
        self.rows.push(Row { label: format!("one by one, {title}"), cells });
        self.row("  mean", |arm| Some(short_millis(stats(arm)?.mean_ms)));
    }

    fn request_rows(&mut self) {
        let calls = Kind::Calls.is_in(&self.arms);
        let streams = !calls || Kind::Streams.is_in(&self.arms);
        for (kind, shown) in [(Kind::Streams, streams), (Kind::Calls, calls)] {
            if shown {
                let rows = requests::ends(&self.arms, kind, self.cell < OF_ALL, self.disconnects);
                self.add_rows(rows);
            }
        }
        if self.arms.iter().any(|arm| arm.vendor.is_some()) {
            let label = if streams { "streams at vendor, peak" } else { "calls at vendor, peak" };
            self.row(label, |arm| Some(count(arm.vendor.as_ref()?.peak_active)));
        }
    }

    fn add_rows(&mut self, rows: Vec<(String, Vec<Option<String>>)>) {
        for (label, cells) in rows {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned())).collect();
            self.rows.push(Row { label, cells });
        }
    }

    fn process_rows(&mut self) {
        if self.arms.iter().all(|arm| arm.process.is_none()) {
            return;
        }
        let unknown = || "?".to_owned();
        let loaded = |arm: &ArmResult| arm.phase(LOADED)?.cpu_cores;
        let cpu = |arm: &ArmResult| Some(format!("{:.0} %", loaded(arm)? * 100.0));
        let memory = |arm: &ArmResult| Some(bytes(arm.process?.rss_peak_bytes));
        let threads = |arm: &ArmResult| Some(count(arm.process?.threads_peak?));
        if self.cell < OF_ALL {
            self.row("CPU while loaded", cpu);
            self.row("memory, peak", memory);
            self.row("threads, peak", threads);
        } else {
            let all = |arm: &ArmResult| [cpu(arm), memory(arm), threads(arm)].map(|of| of.unwrap_or_else(unknown));
            self.row("CPU, peak memory, threads", |arm| Some(all(arm).join(", ")));
        }
    }

    /// How the servers ended that the lab asked to.
    fn stop_rows(&mut self) {
        let stops = self.arms.iter().filter_map(|arm| arm.stop.as_ref());
        let Some(signal) = stops.map(|stop| stop.signal.clone()).next() else { return };
        self.row(&format!("alive after {signal}"), |arm| {
            let stop = arm.stop.as_ref()?;
            let alive = short_millis(stop.alive_ms);
            Some(if stop.ended { alive } else { format!("over {alive}") })
        });
        self.row("  exit code", |arm| Some(arm.stop.as_ref()?.exit_code?.to_string()));
    }
}

/// Whether the run's parameters let clients disconnect before the end of their stream.
pub(super) fn disconnects(result: &RunResult) -> bool {
    let share = result.parameters.get("cancel_share").and_then(Value::as_f64);
    share.is_some_and(|share| share > 0.0)
        || result.loads_by_phase().flatten().any(|load| !load["leave_after_ms"].is_null())
}

fn probe_stats<'a>(arm: &'a ArmResult, phase: &str, probe: &str) -> Option<&'a ProbeStats> {
    arm.phase(phase)?.probes.get(probe).filter(|stats| stats.sent > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn the_labels_of_every_lab_fit() {
        for lab in labs::all() {
            for profile in [&lab.normal, &lab.fast].into_iter().filter(|profile| profile.arms.len() <= ARMS_MAX) {
                let (label, cell) = widths(profile.arms.len(), super::super::terminal::COLUMNS);
                // As many quantiles as fit leave less than one; there is a space in any case.
                let label = label + cell % QUANTILE - 1;
                for phase in &profile.phases {
                    let probes = profile.probes.iter().map(|probe| format!("{}, {}", probe.name, phase.title));
                    let calls = phase.calls().map(|load| format!("{}, {}", load.name, phase.title));
                    for text in probes.chain(calls) {
                        assert!(text.chars().count() <= label, "{}: over {label} columns: {text}", lab.name);
                    }
                }
            }
        }
    }
}
