//! What the dashboard says of an arm: a row below its chart, or a column of the table.

use std::collections::BTreeSet;

use super::look::Tone;
use super::words::{Said, short_name, state};
use crate::live::{ArmFrame, PoolFrame, VendorFrame};
use crate::numbers::count;

/// Something that is said of each arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Figure {
    /// Streams open, of those asked for.
    Streams,
    /// The latest of the probe with this name.
    Probe(String),
    /// Tokens received in the last second.
    Chunks,
    /// Threads of the server.
    Threads,
    /// Share of one processor.
    Cpu,
    /// Busy threads of the server's blocking pool.
    Pool,
    /// Work that waits for one of them.
    Queued,
    /// The vendor's active generations.
    Vendor,
}

impl Figure {
    /// Those that at least one of the arms has, in the order of output.
    pub(super) fn of(arms: &[ArmFrame]) -> Vec<Self> {
        let has = |has: fn(&ArmFrame) -> bool| arms.iter().any(has);
        let probes = Self::probes(arms).into_iter().map(Figure::Probe);
        let rest = [
            (Figure::Chunks, true),
            (Figure::Threads, has(|arm| arm.threads.is_some())),
            (Figure::Cpu, has(|arm| arm.cpu_cores.is_some())),
            (Figure::Pool, has(|arm| arm.pool.is_some())),
            (Figure::Queued, has(|arm| arm.pool.is_some())),
            (Figure::Vendor, has(|arm| arm.vendor.is_some())),
        ];
        let rest = rest.into_iter().filter(|(_, there)| *there).map(|(figure, _)| figure);
        [Figure::Streams].into_iter().chain(probes).chain(rest).collect()
    }

    /// Whether it says something of the streams that are sent.
    pub(super) fn is_of_load(&self) -> bool {
        matches!(self, Figure::Streams | Figure::Chunks)
    }

    /// The names of the probes of these arms, that of the thread pool first.
    pub(super) fn probes(arms: &[ArmFrame]) -> Vec<String> {
        let of_arm = |arm: &ArmFrame| {
            let in_rows = arm.rows.last().into_iter().flat_map(|row| row.probe_max_ms.keys()).cloned();
            arm.probes.keys().cloned().chain(in_rows).collect::<Vec<_>>()
        };
        let names: BTreeSet<String> = arms.iter().flat_map(of_arm).collect();
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_by_key(|name| short_name(name) != "sync");
        names
    }

    /// Leaves out the least important until at most `room` are left, or only what is essential.
    pub(super) fn most_important(figures: &[Self], room: usize) -> Vec<Self> {
        let mut kept = figures.to_vec();
        while kept.len() > room {
            let least = kept.iter().enumerate().max_by_key(|(_, figure)| figure.rank());
            match least {
                Some((at, figure)) if figure.rank() > 0 => kept.remove(at),
                _ => break,
            };
        }
        kept
    }

    /// How soon it is left out; 0 is never.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Figure::Streams | Figure::Probe(_) => 0,
            Figure::Pool => 1,
            Figure::Queued => 2,
            Figure::Vendor => 3,
            Figure::Chunks => 4,
            Figure::Threads => 5,
            Figure::Cpu => 6,
        }
    }

    /// The name, in at most eight columns unless it is that of a probe.
    pub(super) fn label(&self) -> &str {
        match self {
            Figure::Streams => "streams",
            Figure::Probe(name) => short_name(name),
            Figure::Chunks => "chunks/s",
            Figure::Threads => "threads",
            Figure::Cpu => "CPU",
            Figure::Pool => "pool",
            Figure::Queued => "queued",
            Figure::Vendor => "vendor",
        }
    }

    /// What it is for `arm`.
    pub(super) fn said(&self, arm: &ArmFrame) -> Said {
        match self {
            Figure::Streams => streams(arm.streams_active, arm.streams_asked),
            Figure::Probe(name) => state(arm.probes.get(name)),
            Figure::Chunks => plain(count(arm.chunks_per_second.max(0.0).round() as u64)),
            Figure::Threads => arm.threads.map_or_else(absent, |threads| plain(count(threads))),
            Figure::Cpu => arm.cpu_cores.map_or_else(absent, |cores| plain(format!("{:.0}%", cores * 100.0))),
            Figure::Pool => arm.pool.map_or_else(absent, pool),
            Figure::Queued => arm.pool.map_or_else(absent, queued),
            Figure::Vendor => arm.vendor.map_or_else(absent, vendor),
        }
    }
}

fn plain(text: String) -> Said {
    Said::new(Tone::Plain, [text])
}

fn absent() -> Said {
    Said::new(Tone::Faint, ["-".to_owned()])
}

fn streams(active: u64, asked: u64) -> Said {
    let (active, asked) = (count(active), count(asked));
    let variants = [
        format!("{active} open of {asked} asked"),
        format!("{active} of {asked} asked"),
        format!("{active} of {asked}"),
        format!("{active}/{asked}"),
    ];
    Said::new(Tone::Plain, variants)
}

fn pool(pool: PoolFrame) -> Said {
    let (busy, size) = (count(pool.busy), count(pool.size));
    let share = if pool.size == 0 { 0.0 } else { pool.busy as f64 / pool.size as f64 };
    let tone = if pool.busy >= pool.size { Tone::Bad } else { Tone::Plain };
    let full = if pool.busy >= pool.size { ", full" } else { "" };
    let variants =
        [format!("{busy} of {size} busy{full}"), format!("{busy} of {size}{full}"), format!("{busy}/{size}")];
    Said { share: Some(share.min(1.0)), ..Said::new(tone, variants) }
}

fn queued(pool: PoolFrame) -> Said {
    Said::new(if pool.queued > 0 { Tone::Bad } else { Tone::Plain }, [count(pool.queued)])
}

fn vendor(vendor: VendorFrame) -> Said {
    let (active, peak) = (count(vendor.active), count(vendor.peak_active));
    let variants = [format!("{active} active, peak {peak}"), format!("{active} active"), active];
    Said::new(Tone::Plain, variants)
}
