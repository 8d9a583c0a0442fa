use std::time::Duration;

use crate::lab::{Arm, BASELINE, Claim, Comparison, Figure, LOADED, Lab, Phase, Profile};
use crate::result::ArmName::{self, Broken, Control, Fixed};
use crate::result::{ClaimKind, Quantile};

/// A blocking client keeps a pool thread for the whole stream.
pub(super) const LAB: Lab = Lab {
    name: "pool-exhaustion",
    mistake: "a blocking HTTP client keeps a pool thread for the whole stream",
    fix: "an async client: no thread waits for a token",
    mistake_file: "broken-server/src/mistakes/threads/pool_exhaustion.rs",
    fix_file: "fixed-server/src/upstream/events.rs",
    proves_not: "that 40 is a bad pool size (every size has its knee); that fixed-server has no limit \
                 (descriptors, memory and --max-in-flight are limits too)",
    // The source's pool, and streams of 15 s, as it has them at the shortest. All streams begin
    // within three seconds, so they end together, after `loaded`: a pool that is full stays full.
    normal: Profile {
        vendor_args: &["--tokens", "60", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &arms(
            &["--mistake", "pool-exhaustion", "--blocking-threads", "40"],
            &["--mistake", "none", "--blocking-threads", "40"],
        ),
        phases: &[
            Phase::measured(BASELINE, "idle", 0, millis(0), secs(2)),
            Phase::measured("below", "39 streams", 39, millis(500), secs(2)),
            Phase::measured(LOADED, "60 streams", 21, millis(500), secs(12)),
            Phase {
                only: Some(Fixed),
                tokens: Some(18),
                ..Phase::measured("scale", "2,000 more", 2000, millis(1500), secs(3))
            },
        ],
        probe_rate: 20.0,
        probe_timeout: secs(10),
        patience: secs(2),
        claims: &claims(40.0, 60.0, 2000.0, 100.0),
    },
    fast: Profile {
        vendor_args: &["--tokens", "30", "--ttft", "100ms", "--inter-token", "100ms"],
        arms: &arms(
            &["--mistake", "pool-exhaustion", "--blocking-threads", "8"],
            &["--mistake", "none", "--blocking-threads", "8"],
        ),
        phases: &[
            Phase::measured(BASELINE, "idle", 0, millis(0), millis(1000)),
            Phase::measured("below", "7 streams", 7, millis(100), millis(600)),
            Phase::measured(LOADED, "16 streams", 9, millis(100), millis(1800)),
            Phase {
                only: Some(Fixed),
                tokens: Some(20),
                ..Phase::measured("scale", "100 more", 100, millis(300), millis(900))
            },
        ],
        probe_rate: 50.0,
        probe_timeout: secs(1),
        patience: secs(2),
        claims: &claims(8.0, 16.0, 100.0, 5.0),
    },
};

const fn arms(broken: &'static [&'static str], control: &'static [&'static str]) -> [Arm; 3] {
    [
        Arm { name: Broken, program: "broken-server", args: broken },
        Arm { name: Control, program: "broken-server", args: control },
        Arm { name: Fixed, program: "fixed-server", args: &["--allow-mock-headers"] },
    ]
}

/// `pool` threads, `streams` for all arms, `many` more for fixed-server; latencies lie apart by at
/// least the factor `apart`.
const fn claims(pool: f64, streams: f64, many: f64, apart: f64) -> [Claim; 13] {
    [
        apart_by(apart, "health-sync p99, loaded over idle", SYNC_BROKEN, SYNC_BROKEN_IDLE),
        apart_by(apart, "health-sync p99, broken over fixed", SYNC_BROKEN, SYNC_FIXED),
        apart_by(apart, "health-sync p99, loaded over a stream below", SYNC_BROKEN, SYNC_BROKEN_BELOW),
        apart_by(apart, "loaded p99, health-sync over health-async", SYNC_BROKEN, ASYNC_BROKEN),
        exactly(pool, "streams that reach the vendor: the pool size", vendor_peak(Broken, LOADED)),
        effect("processors in use meanwhile", Figure::CpuCores { arm: Broken, phase: LOADED }, Comparison::AtMost, 0.2),
        // From 0.1 s on the source calls a pool exhausted.
        effect("health-sync p99 with many streams", sync(Fixed, "scale"), Comparison::AtMost, 100.0),
        exactly(0.0, "streams lost", Figure::Lost { arm: Fixed }),
        pressure("streams at the vendor", vendor_peak(Fixed, LOADED), Comparison::Exactly, streams),
        pressure("many streams at the vendor", vendor_peak(Fixed, "scale"), Comparison::AtLeast, many),
        pressure("streams at the vendor", vendor_peak(Control, LOADED), Comparison::Exactly, streams),
        Claim {
            kind: ClaimKind::Control,
            ..apart_by(apart, "health-sync p99, broken over control", SYNC_BROKEN, SYNC_CONTROL)
        },
        Claim { kind: ClaimKind::Control, ..exactly(0.0, "streams lost", Figure::Lost { arm: Control }) },
    ]
}

const SYNC_BROKEN: &Figure = &sync(Broken, LOADED);
const SYNC_BROKEN_IDLE: &Figure = &sync(Broken, BASELINE);
const SYNC_BROKEN_BELOW: &Figure = &sync(Broken, "below");
const ASYNC_BROKEN: &Figure = &Figure::Latency { arm: Broken, phase: LOADED, probe: "health_async", at: Quantile::P99 };
const SYNC_FIXED: &Figure = &sync(Fixed, LOADED);
const SYNC_CONTROL: &Figure = &sync(Control, LOADED);

const fn sync(arm: ArmName, phase: &'static str) -> Figure {
    Figure::Latency { arm, phase, probe: "health_sync", at: Quantile::P99 }
}

const fn vendor_peak(arm: ArmName, phase: &'static str) -> Figure {
    Figure::VendorPeak { arm, phase }
}

const fn apart_by(factor: f64, name: &'static str, over: &'static Figure, under: &'static Figure) -> Claim {
    effect(name, Figure::Ratio(over, under), Comparison::AtLeast, factor)
}

const fn exactly(count: f64, name: &'static str, figure: Figure) -> Claim {
    effect(name, figure, Comparison::Exactly, count)
}

const fn pressure(name: &'static str, figure: Figure, comparison: Comparison, threshold: f64) -> Claim {
    Claim { kind: ClaimKind::Pressure, ..effect(name, figure, comparison, threshold) }
}

const fn effect(name: &'static str, figure: Figure, comparison: Comparison, threshold: f64) -> Claim {
    Claim { name, kind: ClaimKind::Effect, figure, comparison, threshold }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
