//! Prints the figures of the benchmark beside the budgets that they should meet.

use crate::run::{Case, Measured};
use crate::servers::Server;

/// One server under one load: medians over its runs, but all that was lost in any of them. A latency
/// counts only from runs in which the generator kept its schedule; the rest does not depend on that.
pub(crate) struct Row {
    server: Server,
    case: Case,
    median: Measured,
    /// Runs whose latency counts.
    valid: usize,
}

impl Row {
    pub(crate) fn median(server: Server, case: Case, runs: &[Measured]) -> Self {
        let median = |mut figures: Vec<f64>| {
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let of = |figure: fn(&Measured) -> f64| median(runs.iter().map(figure).collect());
        let valid: Vec<_> = runs.iter().filter(|run| !run.invalid).collect();
        let median = Measured {
            chunks_per_second: of(|run| run.chunks_per_second),
            cpu_us_per_chunk: of(|run| run.cpu_us_per_chunk),
            vendor_cpu_us_per_chunk: of(|run| run.vendor_cpu_us_per_chunk),
            loadgen_cpu_us_per_chunk: of(|run| run.loadgen_cpu_us_per_chunk),
            stream_kib: of(|run| run.stream_kib),
            health_p99_ms: median(valid.iter().map(|run| run.health_p99_ms).collect()),
            lost: runs.iter().map(|run| run.lost).sum(),
            lag_p99_ms: of(|run| run.lag_p99_ms),
            invalid: false,
        };
        Row { server, case, median, valid: valid.len() }
    }
}

pub(crate) fn print_table(rows: &[Row]) {
    println!("\n{:64}processor time a chunk", "");
    println!(
        "{:<21} {:>7} {:>6} {:>9} {:>9} {:>11} {:>11} {:>7} {:>8} {:>10} {:>11} {:>5} {:>8} {:>5}",
        "server",
        "streams",
        "gap",
        "chunks/s",
        "its own",
        "over nginx",
        "over relay",
        "vendor",
        "loadgen",
        "KB/stream",
        "health p99",
        "lost",
        "lag p99",
        "valid"
    );
    for row in rows {
        let over = |base| over(rows, row, base).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let (over_nginx, over_relay) = (over(Server::Nginx), over(Server::Relay));
        println!(
            "{:<21} {:>7} {:>4}ms {:>9.0} {:>7.1}µs {over_nginx:>11} {over_relay:>11} {:>5.1}µs {:>6.1}µs {:>10.1} {:>9.1}ms {:>5} {:>6.1}ms {:>5}",
            row.server.name(),
            row.case.streams,
            row.case.gap.as_millis(),
            row.median.chunks_per_second,
            row.median.cpu_us_per_chunk,
            row.median.vendor_cpu_us_per_chunk,
            row.median.loadgen_cpu_us_per_chunk,
            row.median.stream_kib,
            row.median.health_p99_ms,
            row.median.lost,
            row.median.lag_p99_ms,
            row.valid,
        );
    }
}

/// Compares the figures with the budgets, and says whether all of them are met.
pub(crate) fn print_verdicts(rows: &[Row]) -> bool {
    println!();
    let mut all_met = true;
    let mut verdict = |what: String, figure: f64, budget: f64| {
        let met = figure <= budget;
        all_met &= met;
        println!("{:<7} {what}: {figure:.2} (at most {budget})", if met { "met" } else { "NOT MET" });
    };
    for row in rows.iter().filter(|row| row.server.is_ours()) {
        let name = format!("{}, {} streams", row.server.name(), row.case.streams);
        verdict(format!("{name}: lost"), row.median.lost, 0.0);
        if row.case.streams == 9_000 {
            verdict(format!("{name}: health p99, ms"), row.median.health_p99_ms, 5.0);
            verdict(format!("{name}: memory a stream, KB"), row.median.stream_kib, 34.0);
            continue;
        }
        if let Some(ratio) = over(rows, row, Server::Relay) {
            let budget = if row.server == Server::Completions { 1.15 } else { 1.25 };
            verdict(format!("{name}: processor time a chunk over the plain relay"), ratio, budget);
        }
        let own = row.median.cpu_us_per_chunk;
        verdict(format!("{name}: mock-llm's over fixed-server's"), row.median.vendor_cpu_us_per_chunk / own, 0.7);
        verdict(format!("{name}: loadgen's over fixed-server's"), row.median.loadgen_cpu_us_per_chunk / own, 0.7);
    }
    all_met
}

/// Processor time a chunk over that of `base` under the same load, where that was measured.
fn over(rows: &[Row], row: &Row, base: Server) -> Option<f64> {
    let base = rows.iter().find(|other| other.server == base && other.case.streams == row.case.streams)?;
    Some(row.median.cpu_us_per_chunk / base.median.cpu_us_per_chunk)
}
