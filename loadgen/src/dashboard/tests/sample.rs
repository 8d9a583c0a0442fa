//! Frames made by hand.

use std::collections::BTreeMap;

use super::super::{Key, Look};
use crate::live::{ArmFrame, Frame, PhaseFrame, PoolFrame, ProbeFrame, VendorFrame};
use crate::result::{Side, TimelineRow, first_collapse};

/// Length of a row.
const ROW_MS: f64 = 250.0;
/// When the 40th stream opens, when the 60th does, and the limit of the probes.
const COLLAPSE_MS: f64 = 4500.0;
const ALL_OPEN_MS: f64 = 5500.0;
const LIMIT_MS: f64 = 10_000.0;

/// The look of `demo`, in colour.
pub(super) fn look() -> Look {
    let keys = vec![Key { key: "q", does: "quit" }, Key { key: "?", does: "help" }];
    Look { title: "demo".to_owned(), colour: true, keys, ..Look::default() }
}

/// The demo after 16 of its 21 seconds: the pool of `broken` is full.
pub(super) fn demo() -> Frame {
    let phase = PhaseFrame {
        name: "loaded".to_owned(),
        title: "60 streams".to_owned(),
        number: 4,
        of: 5,
        left_ms: 1800.0,
        run_left_ms: 4800.0,
    };
    let arms = vec![broken("broken"), control(), fixed("fixed")];
    Frame { t_ms: 16_200.0, phase: Some(phase), arms, ..Frame::default() }
}

/// As many arms as asked, every second one like `broken`.
pub(super) fn many(arms: usize) -> Frame {
    let arm =
        |at: usize| if at.is_multiple_of(2) { broken(&format!("broken-{at}")) } else { fixed(&format!("fixed-{at}")) };
    Frame { arms: (0..arms).map(arm).collect(), ..demo() }
}

/// A server whose health check on the pool hangs from the 40th stream on.
pub(super) fn broken(name: &str) -> ArmFrame {
    let sync = |t_ms: f64, now_ms: f64| match () {
        () if t_ms < COLLAPSE_MS => 1.0,
        () => (now_ms - t_ms).min(LIMIT_MS),
    };
    let streams = |t_ms: f64| match () {
        () if t_ms < COLLAPSE_MS => 39,
        () if t_ms < ALL_OPEN_MS => 40,
        () => 60,
    };
    let rows = rows(16_200.0, sync, streams);
    ArmFrame {
        side: Some(Side::Broken),
        mistake: Some("pool-exhaustion".to_owned()),
        threads: Some(44),
        pool: Some(PoolFrame { size: 40, busy: 40, queued: 187 }),
        vendor: Some(vendor(40)),
        chunks_per_second: 158.6,
        cpu_cores: Some(0.03),
        probes: probes(ProbeFrame::TimedOut { ms: LIMIT_MS }, 1.1),
        collapse: first_collapse(&rows),
        ..arm(name, rows)
    }
}

fn control() -> ArmFrame {
    ArmFrame {
        side: Some(Side::Control),
        mistake: Some("none".to_owned()),
        threads: Some(5),
        pool: Some(PoolFrame { size: 40, busy: 0, queued: 0 }),
        probes: probes(ProbeFrame::Answered { ms: 1.34 }, 1.2),
        ..arm("control", rows(16_200.0, |_, _| 1.4, |_| 60))
    }
}

/// A server whose checks are answered as before.
pub(super) fn fixed(name: &str) -> ArmFrame {
    ArmFrame {
        side: Some(Side::Fixed),
        threads: Some(3),
        probes: probes(ProbeFrame::Answered { ms: 0.42 }, 0.4),
        ..arm(name, rows(16_200.0, |_, _| 0.5, |_| 60))
    }
}

fn arm(name: &str, rows: Vec<TimelineRow>) -> ArmFrame {
    ArmFrame {
        name: name.to_owned(),
        streams_active: 60,
        streams_asked: 60,
        chunks_per_second: 239.7,
        cpu_cores: Some(0.021),
        vendor: Some(vendor(60)),
        rows,
        ..ArmFrame::default()
    }
}

fn vendor(active: u64) -> VendorFrame {
    VendorFrame { active, peak_active: active, started: 60, completed: 0, cancelled: 0 }
}

fn probes(sync: ProbeFrame, async_ms: f64) -> BTreeMap<String, ProbeFrame> {
    let answered = ProbeFrame::Answered { ms: async_ms };
    BTreeMap::from([("health_sync".to_owned(), sync), ("health_async".to_owned(), answered)])
}

/// Rows up to `now_ms`, with the latency of the sync probe in each; the async one takes a millisecond.
pub(super) fn rows(now_ms: f64, sync: impl Fn(f64, f64) -> f64, streams: impl Fn(f64) -> u64) -> Vec<TimelineRow> {
    let row = |at: u32| {
        let t_ms = f64::from(at) * ROW_MS;
        let latency = sync(t_ms, now_ms);
        TimelineRow {
            t_ms,
            streams_active: streams(t_ms),
            probe_max_ms: BTreeMap::from([("health_sync".to_owned(), latency), ("health_async".to_owned(), 1.0)]),
            probe_timed_out: BTreeMap::from([("health_sync".to_owned(), u64::from(latency >= LIMIT_MS))]),
            ..TimelineRow::default()
        }
    };
    (0..(now_ms / ROW_MS) as u32).map(row).collect()
}
