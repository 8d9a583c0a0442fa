//! The numbers of `loadgen demo`: the lab `pool-exhaustion` in a longer profile.

use super::time::{millis, secs};
use crate::lab::{Arm, BASELINE, Claim, Figure, LOADED, Load, Phase, Profile, VendorFigure};

/// `pool-exhaustion` as the demo shows it: one pool of 40 threads, streams of 15 s, and 2,000 more streams
/// for fixed-server. All streams start within three seconds, so they end together, after `loaded`: a full
/// pool stays full.
pub(super) static PROFILE: Profile = Profile {
    vendor: &["--tokens", "60", "--ttft", "250ms", "--inter-token", "250ms"],
    arms: &[
        Arm::actix("broken", &["--mistake", "pool-exhaustion", "--blocking-threads", "40"]),
        Arm::actix("control", &["--mistake", "none", "--blocking-threads", "40"]),
        Arm::fixed(&[]),
    ],
    phases: &[
        Phase::new(BASELINE, "idle").hold(secs(2)),
        Phase::new("below", "39 streams").adds(&[Load::of(39)], millis(500)).hold(secs(2)),
        Phase::new(LOADED, "60 streams").adds(&[Load::of(21)], millis(500)).hold(secs(12)),
        Phase::new("scale", "2,000 more")
            .only("fixed")
            .adds(&[Load { tokens: Some(18), ..Load::of(2000) }], millis(1500))
            .hold(secs(3)),
    ],
    probe_timeout: secs(10),
    claims: &[
        Claim::apart(
            100.0,
            "health-sync p99, 60 streams over idle",
            SYNC,
            &Figure::p99("broken", BASELINE, "health_sync"),
        ),
        Claim::apart(100.0, "health-sync p99, broken over fixed", SYNC, &Figure::p99("fixed", LOADED, "health_sync")),
        Claim::apart(
            100.0,
            "health-sync p99, 60 streams over 39",
            SYNC,
            &Figure::p99("broken", "below", "health_sync"),
        ),
        Claim::apart(100.0, "p99, health-sync over health-async", SYNC, &Figure::p99("broken", LOADED, "health_async")),
        Claim::exactly(40.0, "streams at the vendor: the pool size", peak("broken", LOADED)),
        // The original check calls a pool exhausted from 0.1 s on.
        Claim::at_most(100.0, "health-sync p99, 2,000 more streams", Figure::p99("fixed", "scale", "health_sync")),
        Claim::at_least(2000.0, "streams at the vendor, 2,000 more", peak("fixed", "scale")),
        Claim::at_most(0.2, "CPU while loaded", Figure::CpuCores { arm: "broken", phase: LOADED }).condition(),
        Claim::at_most(100.0, "health-sync p99", Figure::p99("control", LOADED, "health_sync")).control(),
    ],
    ..Profile::EMPTY
};

const SYNC: &Figure = &Figure::p99("broken", LOADED, "health_sync");

const fn peak(arm: &'static str, phase: &'static str) -> Figure {
    Figure::vendor(arm, phase, VendorFigure::PeakActive)
}
