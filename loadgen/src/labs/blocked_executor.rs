//! A blocking call inside an async handler.

use std::time::Duration;

use super::time::{millis, secs};
use super::whole_calls;
use crate::lab::{
    Arm, BASELINE, Claim, Figure, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile, StreamFigure, VendorFigure,
};
use crate::result::Quantile;

pub(super) static LAB: Lab = Lab {
    name: "blocked-executor",
    group: Group::Threads,
    mistake: "a blocking call inside an async handler: the event loop stops until it returns",
    fix: "an async client: the event loop serves other requests meanwhile",
    mistake_file: "broken-server/src/mistakes/threads/blocked_executor.rs",
    fix_file: "fixed-server/src/upstream/events.rs",
    repair_file: "broken-server/src/call_style/once.rs",
    proves_not: "that more workers would help (each stops at its own first stream), or that the first stream \
                 suffers (it looks perfect)",
    normal: Profile {
        vendor: &["--tokens", "12", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: ARMS,
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            // As long as its streams, so that they are open throughout. broken-server serves them one after
            // another and is still busy in the following phases.
            Phase::new(LOADED, "4 streams").adds(&[Load::of(4)], millis(0)).settle(millis(200)).hold(millis(2700)),
            Phase::new(SCALE, "60 streams")
                .only("fixed")
                .adds(&[Load::of(60)], millis(250))
                .settle(millis(150))
                .hold(millis(2350)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(15),
        drain: millis(9500),
        claims: &claims(secs(3)),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "6", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: ARMS,
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "4 streams").adds(&[Load::of(4)], millis(0)).settle(millis(200)).hold(millis(1200)),
            Phase::new(SCALE, "60 streams")
                .only("fixed")
                .adds(&[Load::of(60)], millis(250))
                .settle(millis(150))
                .hold(millis(650)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(8),
        drain: millis(5400),
        claims: &claims(millis(1500)),
        ..Profile::EMPTY
    },
};

const ARMS: &[Arm] = &[
    Arm::actix("broken", &["--mistake", "blocked-executor", "--workers", "1"]),
    Arm::actix("control", &["--mistake", "none", "--workers", "1"]),
    Arm::fixed(&[]),
];

/// The phase with more streams than a pool has threads.
const SCALE: &str = "scale";
/// The time between two tokens, in both profiles.
const GAP: Duration = millis(250);
/// A health check this fast counts as unaffected, in token gaps.
const FLAT: f64 = 0.4;

/// `stream` is the duration of one stream.
const fn claims(stream: Duration) -> [Claim; 14] {
    [
        Claim::at_least(0.8, "health-async, slowest", of_a_stream(ASYNC, stream)),
        Claim::at_least(0.8, "health-sync, slowest", of_a_stream(SYNC, stream)),
        Claim::exactly(1.0, "streams at the vendor: one per worker", peak("broken")),
        Claim::apart(5.0, "health-async p90, broken over fixed", ASYNC_P90, ASYNC_FIXED),
        Claim::at_most(0.15, "health-async p90", of_a_stream(ASYNC_FIXED, stream)),
        Claim::at_most(0.15, "health-sync p90", of_a_stream(SYNC_FIXED, stream)),
        Claim::at_most(FLAT, "health-sync p90, 60 streams", Figure::gaps(SYNC_MANY, GAP)),
        Claim::at_most(FLAT, "health-async p90, 60 streams", Figure::gaps(ASYNC_MANY, GAP)),
        Claim::at_least(60.0, "60 streams at the vendor throughout", MANY_AT_VENDOR),
        whole_calls::answered(60.0),
        whole_calls::health_flat(FLAT, GAP),
        Claim::exactly(4.0, "streams completed", Figure::all_streams("broken", StreamFigure::Completed)).condition(),
        Claim::at_most(0.2, "CPU while loaded", Figure::CpuCores { arm: "broken", phase: LOADED }).condition(),
        Claim::at_most(0.15, "health-async p90", of_a_stream(ASYNC_CONTROL, stream)).control(),
    ]
}

const ASYNC: &Figure = &longest("broken", "health_async");
const SYNC: &Figure = &longest("broken", "health_sync");
const ASYNC_P90: &Figure = &Figure::p90("broken", LOADED, "health_async");
const ASYNC_FIXED: &Figure = &Figure::p90("fixed", LOADED, "health_async");
const SYNC_FIXED: &Figure = &Figure::p90("fixed", LOADED, "health_sync");
const SYNC_MANY: &Figure = &Figure::p90("fixed", SCALE, "health_sync");
const ASYNC_MANY: &Figure = &Figure::p90("fixed", SCALE, "health_async");
const MANY_AT_VENDOR: Figure = Figure::vendor("fixed", SCALE, VendorFigure::ActiveThroughout);
const ASYNC_CONTROL: &Figure = &Figure::p90("control", LOADED, "health_async");

const fn longest(arm: &'static str, probe: &'static str) -> Figure {
    Figure::probe(arm, LOADED, probe, ProbeFigure::Latency(Quantile::Max))
}

const fn of_a_stream(latency: &'static Figure, stream: Duration) -> Figure {
    Figure::In { latency, unit: stream, name: "of a stream" }
}

const fn peak(arm: &'static str) -> Figure {
    Figure::vendor(arm, LOADED, VendorFigure::PeakActive)
}
