//! A pool thread waits for each chunk.

use super::time::{millis, secs};
use super::whole_calls;
use crate::lab::{
    Arm, BASELINE, Claim, Figure, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile, StreamFigure, VendorFigure,
};
use crate::result::Quantile;

pub(super) static LAB: Lab = Lab {
    name: "pool-per-chunk",
    group: Group::Threads,
    mistake: "a pool thread waits for each chunk: what Starlette does with a generator that is not async",
    fix: "an async client: no thread waits for a chunk",
    mistake_file: "broken-server/src/mistakes/threads/pool_per_chunk.rs",
    fix_file: "fixed-server/src/upstream/events.rs",
    repair_file: "broken-server/src/call_style/once.rs",
    proves_not: "that a late health check always has this cause (a busy processor delays it too, but then the \
                 processor is busy), or how late it is at another load (about gap x (1 - threads / streams) where \
                 tokens are spread, more where they come together)",
    // Twice as many streams as threads, opened over one token gap, so that their tokens are spread evenly.
    normal: Profile {
        vendor: &["--tokens", "40", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "pool-per-chunk", "--blocking-threads", "40"]),
            Arm::actix("broken-held", &["--mistake", "pool-exhaustion", "--blocking-threads", "40"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "40"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new("below", "39 streams")
                .adds(&[Load { tokens: Some(12), ..Load::of(39) }], millis(250))
                .settle(millis(550))
                .hold(secs(3)),
            Phase::new(LOADED, "80 streams").adds(&[Load::of(80)], millis(250)).settle(millis(850)).hold(secs(8)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(3),
        claims: &claims(80.0, 40.0),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "14", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "pool-per-chunk", "--blocking-threads", "8"]),
            Arm::actix("broken-held", &["--mistake", "pool-exhaustion", "--blocking-threads", "8"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "8"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new("below", "7 streams")
                .adds(&[Load { tokens: Some(5), ..Load::of(7) }], millis(250))
                .settle(millis(300))
                .hold(secs(1)),
            Phase::new(LOADED, "16 streams").adds(&[Load::of(16)], millis(250)).settle(millis(550)).hold(secs(2)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(1),
        drain: millis(1500),
        claims: &claims(16.0, 8.0),
        ..Profile::EMPTY
    },
};

/// The time between two tokens, in both profiles.
const GAP: std::time::Duration = millis(250);

const fn claims(streams: f64, pool: f64) -> [Claim; 12] {
    [
        Claim::at_least(0.4, "health-sync p99", Figure::gaps(SYNC, GAP)),
        Claim::apart(5.0, "health-sync p50, loaded over below", MEDIAN, MEDIAN_BELOW),
        Claim::at_least(3.0, "held for the stream: health-sync p50", Figure::gaps(MEDIAN_HELD, GAP)),
        Claim::exactly(pool, "streams at the vendor: the pool size", peak("broken-held")),
        Claim::at_most(0.4, "health-sync p90", Figure::gaps(SYNC_FIXED, GAP)),
        whole_calls::answered(60.0),
        whole_calls::health_flat(0.4, GAP),
        // What distinguishes it from pool-exhaustion: health checks are late, but they are answered.
        Claim::at_most(2.0, "health-sync p99", Figure::gaps(SYNC, GAP)).condition(),
        Claim::exactly(0.0, "health-sync timed out", timed_out("broken")).condition(),
        Claim::exactly(streams, "streams at the vendor: all", peak("broken")).condition(),
        Claim::exactly(0.0, "streams lost", Figure::all_streams("broken", StreamFigure::Lost)).condition(),
        Claim::at_most(0.4, "health-sync p90", Figure::gaps(SYNC_CONTROL, GAP)).control(),
    ]
}

const SYNC: &Figure = &Figure::p99("broken", LOADED, "health_sync");
const SYNC_FIXED: &Figure = &Figure::p90("fixed", LOADED, "health_sync");
const MEDIAN: &Figure = &median("broken", LOADED);
const MEDIAN_BELOW: &Figure = &median("broken", "below");
const MEDIAN_HELD: &Figure = &median("broken-held", LOADED);
const SYNC_CONTROL: &Figure = &Figure::p90("control", LOADED, "health_sync");

const fn median(arm: &'static str, phase: &'static str) -> Figure {
    Figure::probe(arm, phase, "health_sync", ProbeFigure::Latency(Quantile::P50))
}

const fn timed_out(arm: &'static str) -> Figure {
    Figure::probe(arm, LOADED, "health_sync", ProbeFigure::TimedOut)
}

const fn peak(arm: &'static str) -> Figure {
    Figure::vendor(arm, LOADED, VendorFigure::PeakActive)
}
