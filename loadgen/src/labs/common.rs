//! Claims and numbers that several labs share.

use std::time::Duration;

use crate::lab::{Claim, Figure, LOADED, VendorFigure, at};

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The time between two tokens in most labs.
pub(super) const GAP: Duration = millis(250);
/// A health check this fast counts as unaffected, in token gaps: 100 ms of 250, the limit of the original check.
pub(super) const FLAT: f64 = 0.4;

/// A latency in token gaps.
pub(super) fn gaps(latency: Figure) -> Figure {
    latency.in_units_of(GAP, "gaps")
}

/// A latency is unaffected: at most [`FLAT`] token gaps.
pub(super) fn flat(name: &str, latency: Figure) -> Claim {
    Claim::at_most(FLAT, name, gaps(latency))
}

/// The most streams that the vendor had from an arm up to the end of [`LOADED`].
pub(super) fn peak(arm: &str) -> Figure {
    at(arm, LOADED).vendor(VendorFigure::PeakActive)
}

/// As many streams reach the vendor as the pool has threads.
pub(super) fn pool_size(pool: u32, arm: &str) -> Claim {
    Claim::exactly(pool, "streams at the vendor: the pool size", peak(arm))
}

/// The server with the mistake waits: its processor is idle.
pub(super) fn idle_cpu() -> Claim {
    Claim::at_most(0.2, "CPU while loaded", at("broken", LOADED).cpu_cores()).condition()
}
