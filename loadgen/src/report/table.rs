//! The table of figures.

mod deployment;

use serde_json::Value;

use super::terminal::table_columns;
use super::{Paint, Terminal};
use crate::lab::{LOADED, Phase};
use crate::numbers::{bytes, count, short_millis};
use crate::result::{ArmResult, ClosedLoopStats, ProbeStats, Quantiles, RunResult, StreamStats};

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
    /// Width of a label.
    label: usize,
    /// Width of a cell.
    cell: usize,
    rows: Vec<Row>,
}

/// Prints a lab's arms side by side.
pub fn comparison(terminal: &Terminal, phases: &[Phase], result: &RunResult) {
    let few = result.arms.len() <= 3;
    let titles: Vec<_> = result.arms.keys().map(|arm| if few { column_title(arm) } else { arm }).collect();
    let mut table = Table::new(result.arms.values().collect(), disconnects(result));
    table.fill(phases.iter().map(|phase| (phase.name.as_str(), phase.title.as_str())));
    table.print(terminal, &titles);
}

/// Prints the figures of one server.
pub fn single(terminal: &Terminal, result: &RunResult) {
    let Some(target) = &result.target else { return };
    let mut table = Table::new(vec![target], disconnects(result));
    table.fill(target.phases.iter().map(|phase| (phase.name.as_str(), phase.name.as_str())));
    table.print(terminal, &[target.program.trim_start_matches("http://")]);
}

/// The title of an arm's column, short enough to leave room between columns.
fn column_title(arm: &str) -> &str {
    match arm {
        "broken" => "broken-server",
        "fixed" => "fixed-server",
        other => other,
    }
}

impl<'a> Table<'a> {
    fn new(arms: Vec<&'a ArmResult>, disconnects: bool) -> Self {
        let (columns, width) = (arms.len().max(1), table_columns());
        let cell = ((width - 1 - LABEL_MIN) / columns).min(CELL_MAX);
        let label = (width - 1 - (cell * columns.max(3)).min(width - 1)).max(LABEL_MIN);
        Table { arms, disconnects, label, cell, rows: Vec::new() }
    }

    fn print(&self, terminal: &Terminal, titles: &[&str]) {
        let (label, width) = (self.label, self.cell);
        let titles: String = titles.iter().map(|title| format!("{title:>width$}")).collect();
        terminal.line(terminal.paint(Paint::Bold, &format!(" {:<label$}{titles}", "")));
        for row in &self.rows {
            let cells: String = row.cells.iter().map(|cell| format!("{cell:>width$}")).collect();
            terminal.line(format!(" {:<label$}{cells}", row.label));
        }
    }

    fn fill<'p>(&mut self, phases: impl Iterator<Item = (&'p str, &'p str)>) {
        let heads = self.shown(["p50", "p99", "max"].map(|head| format!("{head:>QUANTILE$}")));
        self.row("time to answer", |_| Some(heads.clone()));
        for (name, title) in phases {
            self.probe_rows(name, title);
            self.closed_loop_rows(name, title);
            for (label, cells) in deployment::rows(&self.arms, name, title) {
                let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned())).collect();
                self.rows.push(Row { label, cells });
            }
        }
        let first_tokens = self.shown_of(|arm| (arm.streams.chunks > 0).then_some(arm.streams.time_to_first_token_ms));
        self.rows.push(Row { label: "first token".to_owned(), cells: first_tokens });
        self.stream_rows();
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
            let cells = self.shown_of(|arm| Some(probe_stats(arm, phase, probe)?.latency_ms));
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
        let stats = |arm: &ArmResult| -> Option<ClosedLoopStats> {
            arm.phases.iter().find(|candidate| candidate.name == phase)?.closed_loop.clone()
        };
        if self.arms.iter().all(|arm| stats(arm).is_none()) {
            return;
        }
        let cells = self.shown_of(|arm| Some(stats(arm)?.latency_ms));
        self.rows.push(Row { label: format!("one by one, {title}"), cells });
        self.row("  mean", |arm| Some(short_millis(stats(arm)?.mean_ms)));
    }

    fn stream_rows(&mut self) {
        let cell = |of: fn(&StreamStats) -> u64| move |arm: &ArmResult| Some(count(total(arm, of)));
        let (completed, requested) =
            (|streams: &StreamStats| streams.completed, |streams: &StreamStats| streams.requested);
        if self.cell < OF_ALL {
            self.row("streams requested", cell(requested));
            self.row("  completed", cell(completed));
        } else {
            let of_all =
                |arm: &ArmResult| format!("{} of {}", count(total(arm, completed)), count(total(arm, requested)));
            self.row("streams completed", |arm| Some(of_all(arm)));
        }
        let without_done: fn(&StreamStats) -> u64 = |streams| streams.without_done;
        self.row_if_any("    without [DONE]", |arm| total(arm, without_done), cell(without_done));
        let failed: fn(&StreamStats) -> u64 = |streams| streams.failed + streams.truncated;
        self.row_if_any("  failed or truncated", |arm| total(arm, failed), cell(failed));
        let mut causes: Vec<_> =
            self.arms.iter().flat_map(|arm| all(arm)).flat_map(|s| s.failures.keys().cloned()).collect();
        causes.sort();
        causes.dedup();
        for cause in causes {
            let of = |arm: &ArmResult| all(arm).filter_map(|streams| streams.failures.get(&cause)).sum::<u64>();
            self.row(&format!("    {cause}"), |arm| Some(count(of(arm))));
        }
        let stalled: fn(&StreamStats) -> u64 = |streams| streams.stalled;
        self.row_if_any("  stalled at the end", |arm| total(arm, stalled), cell(stalled));
        let without = |streams: &StreamStats| streams.without_token;
        self.row_if_any("  without a token", |arm| total(arm, without), cell(without));
        let disconnected = |streams: &StreamStats| streams.disconnected;
        let label = if self.disconnects { "  disconnected by client" } else { "  still open at the end" };
        self.row_if_any(label, |arm| total(arm, disconnected), cell(disconnected));
        if self.arms.iter().any(|arm| arm.vendor.is_some()) {
            self.row("streams at vendor, peak", |arm| Some(count(arm.vendor.as_ref()?.peak_active)));
        }
    }

    fn process_rows(&mut self) {
        if self.arms.iter().all(|arm| arm.process.is_none()) {
            return;
        }
        let unknown = || "?".to_owned();
        let loaded = |arm: &ArmResult| arm.phases.iter().find(|phase| phase.name == LOADED)?.cpu_cores;
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
fn disconnects(result: &RunResult) -> bool {
    let loads = result.parameters.get("phases").and_then(Value::as_array).into_iter().flatten();
    let mut loads = loads.filter_map(|phase| phase["loads"].as_array()).flatten();
    let share = result.parameters.get("cancel_share").and_then(Value::as_f64);
    share.is_some_and(|share| share > 0.0) || loads.any(|load| !load["leave_after_ms"].is_null())
}

fn probe_stats<'a>(arm: &'a ArmResult, phase: &str, probe: &str) -> Option<&'a ProbeStats> {
    let phase = arm.phases.iter().find(|candidate| candidate.name == phase)?;
    phase.probes.get(probe).filter(|stats| stats.sent > 0)
}

/// The streams of an arm: those of its phases, or of the whole run where phases have none.
fn all(arm: &ArmResult) -> impl Iterator<Item = &StreamStats> {
    let of_phases = arm.phases.iter().filter_map(|phase| phase.streams.as_ref());
    let in_one = arm.phases.iter().all(|phase| phase.streams.is_none()).then_some(&arm.streams);
    of_phases.chain(in_one)
}

fn total(arm: &ArmResult, of: fn(&StreamStats) -> u64) -> u64 {
    all(arm).map(of).sum()
}
