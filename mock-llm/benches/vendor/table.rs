//! Prints the figures of the benchmark.

use crate::Case;
use crate::client::{MassDisconnect, Measured};

const MEGA: f64 = 1024.0 * 1024.0;

pub(crate) fn head() {
    println!(
        "{:<10} {:<9} {:>8} {:>7} {:>10} {:>9} {:>9} {:>8} {:>10} {:>10} {:>10} {:>10}",
        "vendor",
        "case",
        "streams",
        "gap",
        "chunks/s",
        "of asked",
        "CPU cores",
        "µs/chunk",
        "RSS MB",
        "KB/stream",
        "late p50",
        "late p99"
    );
}

pub(crate) fn row(vendor: &str, case: &Case, measured: &Measured) {
    let asked = case.streams as f64 / case.gap.as_secs_f64();
    let rate = measured.events as f64 / measured.seconds;
    println!(
        "{:<10} {:<9} {:>8} {:>5}ms {:>10.0} {:>8.1}% {:>9.2} {:>8.2} {:>10.1} {:>10.1} {:>8.2}ms {:>8.2}ms",
        vendor,
        case.name,
        case.streams,
        case.gap.as_millis(),
        rate,
        100.0 * rate / asked,
        measured.cpu_seconds / measured.seconds,
        1e6 * measured.cpu_seconds / measured.events as f64,
        measured.rss_bytes as f64 / MEGA,
        measured.stream_bytes as f64 / 1024.0,
        quantile(&measured.late_ms, 0.50),
        quantile(&measured.late_ms, 0.99),
    );
}

pub(crate) fn mass_disconnect(seen: &MassDisconnect) {
    println!(
        "\n{} streams disconnected together, token gap {} ms: none active after {:.1} ms, tokens sent after that: {}",
        seen.streams,
        seen.gap.as_millis(),
        seen.noticed.as_secs_f64() * 1000.0,
        seen.tokens_after
    );
}

/// Of ascending values; not a number when there are none.
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let index = (ascending.len() as f64 * share) as usize;
    ascending.get(index.min(ascending.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
