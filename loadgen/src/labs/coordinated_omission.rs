use std::time::Duration;

use super::{millis, secs};
use crate::lab::{
    Arm, BASELINE, Claim, ClosedLoopFigure, ClosedLoopProbe, Figure, Group, LOADED, Lab, Load, Phase, ProbeFigure,
    Profile, StreamFigure, Upstream, VendorFigure,
};
use crate::result::Quantile;

/// A server that stalls now and then, and one that refuses every stream, measured in two ways.
pub(super) static LAB: Lab = Lab {
    name: "coordinated-omission",
    group: Group::Threads,
    mistake: "the event loop stalls now and then, and whoever asks one question after the other, and looks at the \
              mean, does not see it",
    fix: "work that blocks has a thread of its own; questions are due on a schedule and timed from then, failures \
          count, percentiles are looked at",
    mistake_file: "broken-server/src/mistakes/threads/coordinated_omission.rs",
    fix_file: "fixed-server/src/api/health.rs",
    proves_not: "that closed loops are useless: a user who waits for an answer is one. They say how fast the server \
                 is for one, not what happens to the many who come meanwhile",
    normal: Profile {
        vendor: &["--tokens", "72", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "coordinated-omission", "--stall-every", "10s", "--stall-for", "2s"]),
            Arm::actix(DOWN, &["--mistake", "none"]).calling(Upstream::Nobody),
            Arm::actix("control", &["--mistake", "none"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new(LOADED, "40 streams").adds(&[Load::of(40)], millis(500)).hold(secs(20)),
        ],
        closed_loop: Some(ClosedLoopProbe { path: "/debug/health-sync", pause: millis(5) }),
        probe_timeout: secs(5),
        claims: &claims(40.0, secs(2)),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "14", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "coordinated-omission", "--stall-every", "4s", "--stall-for", "800ms"]),
            Arm::actix(DOWN, &["--mistake", "none"]).calling(Upstream::Nobody),
            Arm::actix("control", &["--mistake", "none"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "12 streams").adds(&[Load::of(12)], millis(100)).hold(secs(8)),
        ],
        closed_loop: Some(ClosedLoopProbe { path: "/debug/health-sync", pause: millis(10) }),
        probe_timeout: secs(3),
        patience: secs(1),
        claims: &claims(12.0, millis(800)),
        ..Profile::EMPTY
    },
};

/// A server whose vendor is not there: it refuses every stream.
const DOWN: &str = "broken-down";

/// The source's rule for the mean.
const SOURCE_MS: f64 = 100.0;

const fn claims(streams: f64, stall: Duration) -> [Claim; 14] {
    [
        Claim::at_most(SOURCE_MS, "one by one, the mean: passes as in source", mean("broken")),
        Claim::at_most(0.2, "one by one, p99", of_a_stall(ONE_BY_ONE, stall)),
        Claim::at_least(0.5, "on schedule, p99", of_a_stall(ON_SCHEDULE, stall)),
        Claim::apart(5.0, "p99, on schedule over one by one", ON_SCHEDULE, ONE_BY_ONE),
        Claim::at_most(SOURCE_MS, "one by one, the mean: passes as in source", mean(DOWN)),
        Claim::exactly(streams, "streams lost: all of them", Figure::all_streams(DOWN, StreamFigure::Lost)),
        Claim::at_most(0.1, "on schedule, p90", of_a_stall(ON_SCHEDULE_FIXED, stall)),
        Claim::exactly(0.0, "streams lost", Figure::all_streams("fixed", StreamFigure::Lost)),
        Claim::at_least(0.8, "the longest wait: there was a stall", of_a_stall(LONGEST, stall)).pressure(),
        Claim::exactly(streams, "streams at the vendor", peak("broken")).pressure(),
        Claim::exactly(streams, "streams at the vendor", peak("fixed")).pressure(),
        Claim::exactly(streams, "streams at the vendor", peak("control")).pressure(),
        Claim::apart(5.0, "on schedule p90, broken over control", ON_SCHEDULE_P90, ON_SCHEDULE_CONTROL).control(),
        Claim::exactly(0.0, "streams lost", Figure::all_streams("control", StreamFigure::Lost)).control(),
    ]
}

const ONE_BY_ONE: &Figure =
    &Figure::ClosedLoop { arm: "broken", phase: LOADED, what: ClosedLoopFigure::Latency(Quantile::P99) };
const ON_SCHEDULE: &Figure = &Figure::p99("broken", LOADED, "health_sync");
const ON_SCHEDULE_FIXED: &Figure = &Figure::p90("fixed", LOADED, "health_sync");
const ON_SCHEDULE_P90: &Figure = &Figure::p90("broken", LOADED, "health_sync");
const ON_SCHEDULE_CONTROL: &Figure = &Figure::p90("control", LOADED, "health_sync");
const LONGEST: &Figure = &Figure::probe("broken", LOADED, "health_sync", ProbeFigure::Latency(Quantile::Max));

const fn mean(arm: &'static str) -> Figure {
    Figure::ClosedLoop { arm, phase: LOADED, what: ClosedLoopFigure::Mean }
}

const fn of_a_stall(latency: &'static Figure, stall: Duration) -> Figure {
    Figure::In { latency, unit: stall, name: "of a stall" }
}

const fn peak(arm: &'static str) -> Figure {
    Figure::vendor(arm, LOADED, VendorFigure::PeakActive)
}
