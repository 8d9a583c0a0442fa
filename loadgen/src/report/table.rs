use super::{Paint, Terminal, bytes, count, short_millis};
use crate::lab::{LOADED, Phase};
use crate::result::{ArmName, ArmResult, ProbeStats, Quantiles, RunResult, StreamStats};

/// One line of a table: what it says, and its cell in each column.
struct Row {
    label: String,
    cells: Vec<String>,
}

/// A label and three columns are 80 characters.
const LABEL: usize = 25;
const CELL: usize = 18;

/// Prints a lab's arms side by side.
pub fn comparison(terminal: &Terminal, phases: &[Phase], result: &RunResult) {
    let titles: Vec<_> = result.arms.keys().map(|arm| column_title(*arm)).collect();
    let arms: Vec<_> = result.arms.values().collect();
    let phases = phases.iter().map(|phase| (phase.name, phase.title));
    print(terminal, &titles, rows(&arms, phases));
}

/// Prints the figures of one server.
pub fn single(terminal: &Terminal, result: &RunResult) {
    let Some(target) = &result.target else { return };
    let phases = target.phases.iter().map(|phase| (phase.name.as_str(), phase.name.as_str()));
    print(terminal, &[target.program.trim_start_matches("http://")], rows(&[target], phases));
    for (cause, times) in &target.streams.failures {
        terminal.line(format!(" {:<LABEL$}{:>CELL$}", format!("  failed: {cause}"), count(*times)));
    }
}

/// An arm's name that leaves room between columns.
fn column_title(arm: ArmName) -> &'static str {
    match arm {
        ArmName::Broken => "broken-server",
        ArmName::Control => "control",
        ArmName::Fixed => "fixed-server",
    }
}

fn print(terminal: &Terminal, titles: &[&str], rows: Vec<Row>) {
    let cells = |cells: Vec<String>| cells.iter().map(|cell| format!("{cell:>CELL$}")).collect::<String>();
    let titles = cells(titles.iter().map(|title| (*title).to_owned()).collect());
    terminal.line(terminal.paint(Paint::Bold, &format!(" {:<LABEL$}{titles}", "")));
    for row in rows {
        terminal.line(format!(" {:<LABEL$}{}", row.label, cells(row.cells)));
    }
}

fn rows<'a>(arms: &[&ArmResult], phases: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Row> {
    let mut rows = vec![row(arms, "latency, from when due", |_| Some("p50   p99   max".to_owned()))];
    for (name, title) in phases {
        let kinds = arms.iter().flat_map(|arm| &arm.phases).find(|phase| phase.name == name);
        let kinds: Vec<_> = kinds.map(|phase| phase.probes.keys().rev().cloned().collect()).unwrap_or_default();
        kinds.iter().for_each(|kind| rows.extend(probe_rows(arms, name, title, kind)));
    }
    rows.push(row(arms, "first token", |arm| {
        (arm.streams.chunks > 0).then(|| quantiles(arm.streams.time_to_first_token_ms))
    }));
    rows.extend(stream_rows(arms));
    rows.extend(process_rows(arms));
    rows
}

fn row(arms: &[&ArmResult], label: &str, cell: impl Fn(&ArmResult) -> Option<String>) -> Row {
    let cells = arms.iter().map(|arm| cell(arm).unwrap_or_else(|| "-".to_owned())).collect();
    Row { label: label.to_owned(), cells }
}

fn quantiles(quantiles: Quantiles) -> String {
    [quantiles.p50, quantiles.p99, quantiles.max].map(|millis| format!("{:>6}", short_millis(millis))).concat()
}

fn probe_rows(arms: &[&ArmResult], phase: &str, title: &str, probe: &str) -> Vec<Row> {
    let stats = |arm: &ArmResult| -> Option<ProbeStats> {
        let phase = arm.phases.iter().find(|candidate| candidate.name == phase)?;
        phase.probes.get(probe).filter(|stats| stats.sent > 0).cloned()
    };
    let label = format!("{}, {title}", probe.replace('_', "-"));
    let mut rows = vec![row(arms, &label, |arm| Some(quantiles(stats(arm)?.latency_ms)))];
    let mut add_if_any = |label: &str, of: fn(&ProbeStats) -> u64| {
        if arms.iter().any(|arm| stats(arm).is_some_and(|stats| of(&stats) > 0)) {
            rows.push(row(arms, label, |arm| stats(arm).map(|stats| format!("{} of {}", of(&stats), stats.sent))));
        }
    };
    add_if_any("  timed out", |stats| stats.timed_out);
    add_if_any("  failed", |stats| stats.failed);
    rows
}

fn stream_rows(arms: &[&ArmResult]) -> Vec<Row> {
    let total = |arm: &ArmResult, of: fn(&StreamStats) -> u64| {
        let added: u64 = arm.phases.iter().filter_map(|phase| phase.streams.as_ref()).map(of).sum();
        Some(count(of(&arm.streams) + added))
    };
    let mut rows = vec![
        row(arms, "streams asked for", |arm| total(arm, |streams| streams.requested)),
        row(arms, "  delivered whole", |arm| total(arm, |streams| streams.completed)),
        row(arms, "  failed or cut", |arm| total(arm, StreamStats::lost)),
        row(arms, "  without a token", |arm| total(arm, |streams| streams.without_token)),
        row(arms, "  open when we left", |arm| total(arm, |streams| streams.left)),
    ];
    if arms.iter().any(|arm| arm.vendor.is_some()) {
        rows.push(row(arms, "most at the vendor", |arm| Some(count(arm.vendor.as_ref()?.peak_active))));
    }
    rows
}

fn process_rows(arms: &[&ArmResult]) -> Vec<Row> {
    if arms.iter().all(|arm| arm.process.is_none()) {
        return Vec::new();
    }
    let loaded = |arm: &ArmResult| arm.phases.iter().find(|phase| phase.name == LOADED)?.cpu_cores;
    vec![
        row(arms, "processor while loaded", |arm| Some(format!("{:.1} %", loaded(arm)? * 100.0))),
        row(arms, "memory, peak", |arm| Some(bytes(arm.process?.rss_peak_bytes))),
        row(arms, "threads, peak", |arm| Some(count(arm.process?.threads_peak?))),
    ]
}
