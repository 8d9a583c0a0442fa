use std::time::Duration;

use crate::lab::{Arm, BASELINE, Claim, ClaimKind, Comparison, Figure, LOADED, Lab, Phase};
use crate::result::ArmName::{self, Broken, Control, Fixed};
use crate::result::Quantile;

/// Threads of broken-server's pool, as in one process of the original.
const POOL: u32 = 40;
/// Streams that all arms get.
const STREAMS: u32 = 60;
/// Streams that fixed-server gets on top.
const MANY: u32 = 2000;

/// A blocking client keeps a pool thread for the whole stream.
pub(super) const LAB: Lab = Lab {
    name: "pool-exhaustion",
    mistake: "a blocking HTTP client keeps a pool thread for the whole stream",
    fix: "an async client: no thread waits for a token",
    mistake_file: "broken-server/src/mistakes/threads/pool_exhaustion.rs",
    fix_file: "fixed-server/src/upstream.rs",
    proves_not: "that 40 is a bad pool size (every size has its knee); that fixed-server has no limit \
                 (descriptors, memory and --max-in-flight are limits too)",
    // Streams of 15 s, as the source has them at the shortest.
    vendor_args: &["--tokens", "60", "--ttft", "250ms", "--inter-token", "250ms"],
    arms: &[
        Arm {
            name: Broken,
            program: "broken-server",
            args: &["--mistake", "pool-exhaustion", "--blocking-threads", "40"],
        },
        Arm { name: Control, program: "broken-server", args: &["--mistake", "none", "--blocking-threads", "40"] },
        Arm { name: Fixed, program: "fixed-server", args: &["--allow-mock-headers"] },
    ],
    phases: PHASES,
    probe_rate: 20.0,
    probe_timeout: Duration::from_secs(10),
    patience: Duration::from_secs(2),
    claims: CLAIMS,
};

/// All streams begin within three seconds and last 15, so they end together, after `loaded`: a pool
/// that is full stays full for the whole of it.
const PHASES: &[Phase] = &[
    Phase { name: BASELINE, title: "idle", streams: 0, ramp: Duration::ZERO, hold: secs(2), only: None, tokens: None },
    Phase {
        name: "below",
        title: "39 streams",
        streams: POOL - 1,
        ramp: millis(500),
        hold: secs(2),
        only: None,
        tokens: None,
    },
    Phase {
        name: LOADED,
        title: "60 streams",
        streams: STREAMS - POOL + 1,
        ramp: millis(500),
        hold: secs(12),
        only: None,
        tokens: None,
    },
    Phase {
        name: "scale",
        title: "2,000 more",
        streams: MANY,
        ramp: millis(1500),
        hold: secs(3),
        only: Some(Fixed),
        tokens: Some(18),
    },
];

const CLAIMS: &[Claim] = &[
    effect(
        "health-sync, loaded over idle",
        &Figure::Ratio(&sync(Broken, LOADED), &sync(Broken, BASELINE)),
        Comparison::AtLeast,
        100.0,
    ),
    effect(
        "health-sync at 60 streams, broken over fixed",
        &Figure::Ratio(&sync(Broken, LOADED), &sync(Fixed, LOADED)),
        Comparison::AtLeast,
        100.0,
    ),
    effect(
        "health-sync, 60 streams over 39",
        &Figure::Ratio(&sync(Broken, LOADED), &sync(Broken, "below")),
        Comparison::AtLeast,
        100.0,
    ),
    effect(
        "health-sync over health-async, 60 streams",
        &Figure::Ratio(&sync(Broken, LOADED), &asynchronous(Broken, LOADED)),
        Comparison::AtLeast,
        100.0,
    ),
    effect(
        "streams that reach the vendor: the pool's size",
        &Figure::VendorPeak { arm: Broken, phase: LOADED },
        Comparison::Exactly,
        POOL as f64,
    ),
    effect("processors in use meanwhile", &Figure::CpuCores { arm: Broken, phase: LOADED }, Comparison::AtMost, 0.2),
    effect("health-sync at 2,000 streams more", &sync(Fixed, "scale"), Comparison::AtMost, 100.0),
    effect("streams lost", &Figure::Lost { arm: Fixed }, Comparison::Exactly, 0.0),
    condition(
        ClaimKind::Pressure,
        "streams at the vendor",
        &Figure::VendorPeak { arm: Fixed, phase: LOADED },
        Comparison::Exactly,
        STREAMS as f64,
    ),
    condition(
        ClaimKind::Pressure,
        "streams at the vendor, many",
        &Figure::VendorPeak { arm: Fixed, phase: "scale" },
        Comparison::AtLeast,
        MANY as f64,
    ),
    condition(
        ClaimKind::Pressure,
        "streams at the vendor",
        &Figure::VendorPeak { arm: Control, phase: LOADED },
        Comparison::Exactly,
        STREAMS as f64,
    ),
    condition(
        ClaimKind::Control,
        "health-sync, broken over control",
        &Figure::Ratio(&sync(Broken, LOADED), &sync(Control, LOADED)),
        Comparison::AtLeast,
        100.0,
    ),
    condition(ClaimKind::Control, "streams lost", &Figure::Lost { arm: Control }, Comparison::Exactly, 0.0),
];

const fn sync(arm: ArmName, phase: &'static str) -> Figure {
    Figure::Latency { arm, phase, probe: "health_sync", at: Quantile::P99 }
}

const fn asynchronous(arm: ArmName, phase: &'static str) -> Figure {
    Figure::Latency { arm, phase, probe: "health_async", at: Quantile::P99 }
}

const fn effect(name: &'static str, figure: &Figure, comparison: Comparison, threshold: f64) -> Claim {
    condition(ClaimKind::Effect, name, figure, comparison, threshold)
}

const fn condition(
    kind: ClaimKind,
    name: &'static str,
    figure: &Figure,
    comparison: Comparison,
    threshold: f64,
) -> Claim {
    Claim { name, kind, figure: *figure, comparison, threshold }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
