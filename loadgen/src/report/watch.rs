//! Lines of `loadgen watch`.

use std::sync::Arc;
use std::time::Duration;

use super::live::latest;
use super::{Paint, Terminal};
use crate::measure::ProbeLog;

/// Lines between two headings, so that one is always visible on 24 lines.
pub const WATCH_LINES: u64 = 20;
/// Width of a check; a longer name takes more.
const CHECK: usize = 9;

/// The heading of `loadgen watch`.
pub fn watch_heading(terminal: &Terminal, server: &str, checks: &[Arc<ProbeLog>], has_metrics: bool) {
    let of_server = if has_metrics { "  server metrics" } else { "" };
    let names: String = checks.iter().map(|log| format!("{:>1$}", short_name(log), width(log))).collect();
    terminal.line(format!("{:>8}{}", "", terminal.paint(Paint::Bold, server)));
    terminal.line(terminal.paint(Paint::Dim, &format!("{:>8}{names}{of_server}", "time")));
}

/// The line of the second that ended at `now`: the median of each check, and the server's own metrics.
pub fn watch_line(terminal: &Terminal, now: Duration, checks: &[Arc<ProbeLog>], metrics: &str) {
    let mut text = format!("{:>8}", format!("{} s", now.as_secs()));
    for log in checks {
        let (state, paint) = latest(log, now.saturating_sub(Duration::from_secs(1)), now);
        text += &" ".repeat(width(log).saturating_sub(state.chars().count()));
        text += &terminal.paint(paint, &state);
    }
    terminal.line(format!("{text}  {metrics}").trim_end());
}

fn width(log: &ProbeLog) -> usize {
    (short_name(log).chars().count() + 2).max(CHECK)
}

/// The short name of a check: `sync` for `health_sync`.
fn short_name(log: &ProbeLog) -> &str {
    log.kind.name.strip_prefix("health_").unwrap_or(&log.kind.name)
}
