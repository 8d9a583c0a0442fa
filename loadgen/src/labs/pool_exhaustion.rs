//! A blocking client keeps a pool thread for the whole stream.

use std::time::Duration;

use super::time::{millis, secs};
use super::whole_calls;
use crate::lab::{Arm, BASELINE, Claim, Figure, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile, VendorFigure};
use crate::result::Quantile;

pub(super) static LAB: Lab = Lab {
    name: "pool-exhaustion",
    group: Group::Threads,
    mistake: "a blocking HTTP client keeps a pool thread for the whole stream",
    fix: "an async client: no thread waits for a token",
    mistake_file: "broken-server/src/mistakes/threads/pool_exhaustion.rs",
    fix_file: "fixed-server/src/upstream/events.rs",
    repair_file: "broken-server/src/call_style/once.rs",
    proves_not: "that 40 is a bad pool size (every size has its limit), or that fixed-server has no limit \
                 (descriptors, memory and --max-in-flight are limits too)",
    // Two pools, each with one stream fewer than it has threads and with as many. All streams start before
    // the first one ends, so a full pool stays full.
    normal: Profile {
        vendor: &["--tokens", "60", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "pool-exhaustion", "--blocking-threads", "40"]),
            Arm::actix("broken-8", &["--mistake", "pool-exhaustion", "--blocking-threads", "8"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "8"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new("below-8", "7 streams").adds(&[Load::of(7)], millis(200)).hold(secs(2)),
            Phase::new("at-8", "8 streams").adds(&[Load::of(1)], millis(300)).hold(secs(2)),
            Phase::new("below", "39 streams").adds(&[Load::of(31)], millis(500)).hold(secs(2)),
            Phase::new("at", "40 streams").adds(&[Load::of(1)], millis(300)).hold(secs(2)),
            Phase::new(LOADED, "60 streams").adds(&[Load::of(20)], millis(300)).hold(secs(3)),
            Phase::new("scale", "1,000 more").only("fixed").adds(&MANY, secs(3)).hold(secs(3)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(3),
        drain: secs(4),
        claims: &claims(&Numbers { pool: 40.0, many: 1000.0, apart: 20.0 }),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "24", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "pool-exhaustion", "--blocking-threads", "16"]),
            Arm::actix("broken-8", &["--mistake", "pool-exhaustion", "--blocking-threads", "8"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "8"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(700)),
            Phase::new("below-8", "7 streams").adds(&[Load::of(7)], millis(100)).hold(millis(500)),
            Phase::new("at-8", "8 streams").adds(&[Load::of(1)], millis(100)).hold(millis(500)),
            Phase::new("below", "15 streams").adds(&[Load::of(7)], millis(100)).hold(millis(500)),
            Phase::new("at", "16 streams").adds(&[Load::of(1)], millis(100)).hold(millis(500)),
            Phase::new(LOADED, "24 streams").adds(&[Load::of(8)], millis(100)).hold(millis(700)),
            Phase::new("scale", "60 more")
                .only("fixed")
                .adds(&[Load { tokens: Some(10), ..Load::of(60) }], millis(500))
                .settle(millis(200))
                .hold(millis(700)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(1),
        claims: &claims(&Numbers { pool: 16.0, many: 60.0, apart: 5.0 }),
        ..Profile::EMPTY
    },
};

/// Many streams with little work: one token per second.
const MANY: [Load; 1] = [Load { tokens: Some(7), inter_token: Some(secs(1)), ..Load::of(1000) }];

/// The time between two tokens, in both profiles.
const GAP: Duration = millis(250);
/// A health check this fast counts as unaffected, in token gaps: 100 ms, the limit of the original check.
const FLAT: f64 = 0.4;

/// What differs between the claims of the two profiles.
struct Numbers {
    /// Threads of the larger pool; the smaller has 8.
    pool: f64,
    /// Additional streams for fixed-server.
    many: f64,
    /// Minimum ratio between latencies.
    apart: f64,
}

const fn claims(n: &Numbers) -> [Claim; 14] {
    [
        Claim::apart(n.apart, "health-sync p50, at size over below", AT, BELOW),
        Claim::exactly(n.pool, "streams at the vendor: the pool size", peak("broken", LOADED)),
        Claim::apart(n.apart, "health-sync p50, at size over below", AT_8, BELOW_8),
        Claim::exactly(8.0, "streams at the vendor: the pool size", peak("broken-8", LOADED)),
        Claim::apart(n.apart, "health-sync p90, broken over fixed", SYNC, SYNC_FIXED),
        Claim::at_most(FLAT, "health-sync p90", Figure::gaps(SYNC_FIXED, GAP)),
        Claim::at_most(FLAT, "health-sync p90 with many streams", Figure::gaps(SYNC_MANY, GAP)),
        Claim::at_least(n.many, "many streams at the vendor throughout", MANY_AT_VENDOR),
        whole_calls::answered(60.0),
        whole_calls::health_flat(FLAT, GAP),
        Claim::exactly(0.0, "health-sync timed out, below pool size", BELOW_TIMED_OUT).condition(),
        Claim::at_most(FLAT, "health-async p90", Figure::gaps(ASYNC, GAP)).condition(),
        Claim::at_most(0.2, "CPU while loaded", Figure::CpuCores { arm: "broken", phase: LOADED }).condition(),
        Claim::at_most(FLAT, "health-sync p90", Figure::gaps(SYNC_CONTROL, GAP)).control(),
    ]
}

const SYNC: &Figure = &Figure::p90("broken", LOADED, "health_sync");
const SYNC_FIXED: &Figure = &Figure::p90("fixed", LOADED, "health_sync");
const SYNC_MANY: &Figure = &Figure::p90("fixed", "scale", "health_sync");
const SYNC_CONTROL: &Figure = &Figure::p90("control", LOADED, "health_sync");
const ASYNC: &Figure = &Figure::p90("broken", LOADED, "health_async");
const AT: &Figure = &median("broken", "at");
const BELOW: &Figure = &median("broken", "below");
const AT_8: &Figure = &median("broken-8", "at-8");
const BELOW_8: &Figure = &median("broken-8", "below-8");
const BELOW_TIMED_OUT: Figure = Figure::probe("broken", "below", "health_sync", ProbeFigure::TimedOut);
const MANY_AT_VENDOR: Figure = Figure::vendor("fixed", "scale", VendorFigure::ActiveThroughout);

const fn median(arm: &'static str, phase: &'static str) -> Figure {
    Figure::probe(arm, phase, "health_sync", ProbeFigure::Latency(Quantile::P50))
}

const fn peak(arm: &'static str, phase: &'static str) -> Figure {
    Figure::vendor(arm, phase, VendorFigure::PeakActive)
}
