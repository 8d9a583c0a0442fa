//! What a chart shows of each server of a run.

use std::collections::BTreeMap;

use super::style::lines;
use crate::measure::SAMPLE_INTERVAL;
use crate::result::{ArmResult, Collapse, RunResult, Side, TARGET, TimelineRow, collapse};

/// More points than this are merged: they would be less than two pixels apart.
const POINTS_MAX: usize = 320;
/// The last row of a timeline is as long as the others.
pub(super) const ROW_MS: f64 = SAMPLE_INTERVAL.as_millis() as f64;

/// One server.
#[derive(Debug)]
pub(super) struct Series<'a> {
    /// Its name in the legend.
    pub(super) name: String,
    /// The class that gives its lines their look.
    pub(super) class: String,
    pub(super) arm: &'a ArmResult,
    /// Its timeline, from left to right.
    pub(super) samples: Vec<Sample>,
    pub(super) collapse: Option<Collapse>,
}

/// A row of a timeline, or a few of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) from_ms: f64,
    pub(super) to_ms: f64,
    /// The slowest probe.
    pub(super) latency_ms: Option<f64>,
    /// Whether a probe timed out.
    pub(super) timed_out: bool,
    /// Whether a probe failed.
    pub(super) failed: bool,
    /// Streams open and calls without an answer at the end.
    pub(super) streams: u64,
}

impl Sample {
    pub(super) fn middle_ms(&self) -> f64 {
        f64::midpoint(self.from_ms, self.to_ms)
    }

    fn merge(samples: &[Sample]) -> Option<Sample> {
        let (first, last) = (samples.first()?, samples.last()?);
        Some(Sample {
            from_ms: first.from_ms,
            to_ms: last.to_ms,
            latency_ms: samples.iter().filter_map(|sample| sample.latency_ms).reduce(f64::max),
            timed_out: samples.iter().any(|sample| sample.timed_out),
            failed: samples.iter().any(|sample| sample.failed),
            streams: samples.iter().map(|sample| sample.streams).max()?,
        })
    }
}

/// The servers of `result` with what `probe` saw, in the order of output.
pub(super) fn series<'a>(result: &'a RunResult, probe: &str) -> Vec<Series<'a>> {
    let mut of_kind = BTreeMap::new();
    let one = |(name, arm): (&'a str, &'a ArmResult)| {
        let kind = arm.side.map_or(TARGET, Side::as_str);
        let number = of_kind.entry(kind).or_insert(0);
        let class = format!("{kind}-{}", *number % lines(kind).max(1));
        *number += 1;
        Series {
            name: shown(name),
            class,
            arm,
            samples: samples(&arm.timeline, probe),
            collapse: collapse(&arm.timeline, probe),
        }
    };
    result.servers().into_iter().map(one).collect()
}

/// Nobody knows what a control is before reading on.
fn shown(name: &str) -> String {
    match name {
        "control" => "control (same framework)".to_owned(),
        TARGET => "your server".to_owned(),
        other => other.to_owned(),
    }
}

fn samples(rows: &[TimelineRow], probe: &str) -> Vec<Sample> {
    let is_usable = |row: &&TimelineRow| row.t_ms.is_finite() && row.t_ms >= 0.0;
    let rows: Vec<_> = rows.iter().filter(is_usable).collect();
    let ends = rows.iter().skip(1).map(|row| Some(row.t_ms)).chain([None]);
    let sample = |(row, end): (&&TimelineRow, Option<f64>)| Sample {
        from_ms: row.t_ms,
        to_ms: end.filter(|end| *end > row.t_ms).unwrap_or(row.t_ms + ROW_MS),
        latency_ms: row.probe_max_ms.get(probe).copied().filter(|latency| latency.is_finite()),
        timed_out: row.probe_timed_out.get(probe).is_some_and(|number| *number > 0),
        failed: row.probe_failed.get(probe).is_some_and(|number| *number > 0),
        streams: row.streams_active,
    };
    let samples: Vec<_> = rows.iter().zip(ends).map(sample).collect();
    samples.chunks(samples.len().div_ceil(POINTS_MAX).max(1)).filter_map(Sample::merge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(t_ms: f64, latency_ms: f64) -> TimelineRow {
        TimelineRow { t_ms, probe_max_ms: [("health".to_owned(), latency_ms)].into(), ..TimelineRow::default() }
    }

    #[test]
    fn a_long_timeline_keeps_its_slowest_probes() {
        let mut rows: Vec<_> = (0..5000).map(|number| row(f64::from(number) * 250.0, 0.5)).collect();
        rows[4321] = row(4321.0 * 250.0, 9000.0);
        rows[4322].probe_timed_out.insert("health".to_owned(), 1);
        let samples = samples(&rows, "health");
        assert!(samples.len() <= POINTS_MAX, "{}", samples.len());
        let slow: Vec<_> = samples.iter().filter(|sample| sample.latency_ms == Some(9000.0)).collect();
        assert!(slow.len() == 1 && slow[0].timed_out, "{slow:?}");
        assert!((slow[0].from_ms..slow[0].to_ms).contains(&(4321.0 * 250.0)), "{slow:?}");
    }

    #[test]
    fn rows_that_no_run_writes_are_left_out() {
        let rows = [row(f64::NAN, 1.0), row(-1.0, 1.0), row(0.0, f64::INFINITY), row(250.0, 2.0)];
        let samples = samples(&rows, "health");
        let seen: Vec<_> = samples.iter().map(|sample| (sample.from_ms, sample.to_ms, sample.latency_ms)).collect();
        assert_eq!(seen, [(0.0, 250.0, None), (250.0, 500.0, Some(2.0))]);
    }
}
