//! A server that stalls now and then, and one that refuses every stream, measured in two ways.

use std::time::Duration;

use super::time::{millis, secs};
use crate::lab::{
    Arm, BASELINE, CallFigure, Calls, Claim, ClosedLoopFigure, ClosedLoopProbe, Figure, Group, LOADED, Lab, Load,
    Phase, Profile, StreamFigure, Upstream,
};
use crate::result::Quantile;

pub(super) static LAB: Lab = Lab {
    name: "coordinated-omission",
    group: Group::Threads,
    mistake: "the event loop stalls now and then, and whoever asks one question after the other, and looks at the \
              mean, does not see it",
    fix: "work that blocks has a thread of its own; questions are due on a schedule and timed from then, failures \
          count, percentiles are looked at",
    mistake_file: "broken-server/src/mistakes/threads/coordinated_omission.rs",
    fix_file: "fixed-server/src/api/health.rs",
    repair_file: "broken-server/src/pool.rs",
    proves_not: "that closed loops are useless: a user who waits for an answer is one. They say how fast the server \
                 is for one, not what happens to the many who come meanwhile",
    normal: Profile {
        vendor: &["--tokens", "88", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "coordinated-omission", "--stall-every", "10s", "--stall-for", "2s"]),
            Arm::actix(DOWN, &["--mistake", "none"]).calling(Upstream::Unreachable),
            Arm::actix("control", &["--mistake", "none"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new(LOADED, "40 streams").adds(&[Load::of(40)], millis(500)).hold(secs(20)),
            checks(&[Calls::get(200, "/health")]).hold(secs(2)),
        ],
        closed_loop: Some(ClosedLoopProbe { path: "/debug/health-sync", pause: millis(5) }),
        probe_timeout: secs(5),
        claims: &claims(40.0, 200.0, secs(2)),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "36", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "coordinated-omission", "--stall-every", "4s", "--stall-for", "800ms"]),
            Arm::actix(DOWN, &["--mistake", "none"]).calling(Upstream::Unreachable),
            Arm::actix("control", &["--mistake", "none"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "12 streams").adds(&[Load::of(12)], millis(100)).hold(millis(7600)),
            checks(&[Calls::get(100, "/health")]).hold(millis(1000)),
        ],
        closed_loop: Some(ClosedLoopProbe { path: "/debug/health-sync", pause: millis(10) }),
        probe_timeout: secs(3),
        drain: millis(800),
        claims: &claims(12.0, 100.0, millis(800)),
        ..Profile::EMPTY
    },
};

/// A server whose vendor is not there: it refuses every stream.
const DOWN: &str = "broken-down";

/// The source's rule for the mean.
const SOURCE_MS: f64 = 100.0;

/// The phase in which fixed-server gets many checks at once, each of which has work that blocks.
const CHECKS: &str = "checks";

const fn checks(calls: &'static [Calls]) -> Phase {
    Phase::new(CHECKS, "many checks").only("fixed").calls(calls)
}

const fn claims(streams: f64, checks: f64, stall: Duration) -> [Claim; 11] {
    [
        Claim::at_least(0.5, "on schedule, p99", of_a_stall(ON_SCHEDULE, stall)),
        Claim::apart(5.0, "p99, on schedule over one by one", ON_SCHEDULE, ONE_BY_ONE),
        Claim::apart(5.0, "p99 on schedule, broken over fixed", ON_SCHEDULE, ON_SCHEDULE_FIXED),
        // Its slowest one, not the 90th percentile: one stall in a run is what this lab is about.
        Claim::at_most(0.25, "on schedule, p99", of_a_stall(ON_SCHEDULE_FIXED, stall)),
        Claim::exactly(checks, "checks at once that were answered", checked(CallFigure::Answered)),
        Claim::at_most(0.25, "checks at once, the longest", of_a_stall(CHECKS_LONGEST, stall)),
        Claim::at_most(SOURCE_MS, "one by one, the mean: passes as in source", mean("broken")).condition(),
        Claim::at_most(0.2, "one by one, p99", of_a_stall(ONE_BY_ONE, stall)).condition(),
        Claim::at_most(SOURCE_MS, "one by one, the mean: passes as in source", mean(DOWN)).condition(),
        Claim::exactly(streams, "streams lost: all of them", Figure::all_streams(DOWN, StreamFigure::Lost)).condition(),
        Claim::at_most(0.25, "on schedule, p90", of_a_stall(ON_SCHEDULE_CONTROL, stall)).control(),
    ]
}

const ONE_BY_ONE: &Figure =
    &Figure::ClosedLoop { arm: "broken", phase: LOADED, what: ClosedLoopFigure::Latency(Quantile::P99) };
const ON_SCHEDULE: &Figure = &Figure::p99("broken", LOADED, "health_sync");
const ON_SCHEDULE_FIXED: &Figure = &Figure::p99("fixed", LOADED, "health_sync");
const ON_SCHEDULE_CONTROL: &Figure = &Figure::p90("control", LOADED, "health_sync");
const CHECKS_LONGEST: &Figure = &checked(CallFigure::Latency(Quantile::Max));

const fn checked(what: CallFigure) -> Figure {
    Figure::Calls { arm: "fixed", phase: CHECKS, what }
}

const fn mean(arm: &'static str) -> Figure {
    Figure::ClosedLoop { arm, phase: LOADED, what: ClosedLoopFigure::Mean }
}

const fn of_a_stall(latency: &'static Figure, stall: Duration) -> Figure {
    Figure::In { latency, unit: stall, name: "of a stall" }
}
