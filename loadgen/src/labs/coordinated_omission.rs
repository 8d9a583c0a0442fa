//! A server that stalls now and then, and one that fails every stream, measured in two ways.

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
    mistake: "the event loop stalls now and then; checks sent one after another, and their mean, do not show it",
    fix: "blocking work runs on its own thread; checks are sent on a schedule and timed from when they were due, \
          failures count, percentiles are judged",
    mistake_file: "broken-server/src/mistakes/threads/coordinated_omission.rs",
    fix_file: "fixed-server/src/api/health.rs",
    repair_file: "broken-server/src/pool.rs",
    proves_not: "that closed loops are useless: they show how fast the server is for one user, not what happens to \
                 the many who arrive during a stall",
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

/// A server without a vendor: it fails every stream.
const DOWN: &str = "broken-down";

/// The original script's limit for the mean.
const SOURCE_MS: f64 = 100.0;

/// The phase in which fixed-server gets many checks at once, each with blocking work.
const CHECKS: &str = "checks";

const fn checks(calls: &'static [Calls]) -> Phase {
    Phase::new(CHECKS, "many checks").only("fixed").calls(calls)
}

const fn claims(streams: f64, checks: f64, stall: Duration) -> [Claim; 11] {
    [
        Claim::at_least(0.5, "on schedule, p99", of_a_stall(ON_SCHEDULE, stall)),
        Claim::apart(5.0, "p99, on schedule over one by one", ON_SCHEDULE, ONE_BY_ONE),
        Claim::apart(5.0, "p99 on schedule, broken over fixed", ON_SCHEDULE, ON_SCHEDULE_FIXED),
        // p99, not p90: this lab is about a single stall in a run.
        Claim::at_most(0.25, "on schedule, p99", of_a_stall(ON_SCHEDULE_FIXED, stall)),
        Claim::exactly(checks, "simultaneous checks answered", checked(CallFigure::Answered)),
        Claim::at_most(0.25, "simultaneous checks, slowest", of_a_stall(CHECKS_LONGEST, stall)),
        Claim::at_most(SOURCE_MS, "one by one, mean", mean("broken")).condition(),
        Claim::at_most(0.2, "one by one, p99", of_a_stall(ONE_BY_ONE, stall)).condition(),
        Claim::at_most(SOURCE_MS, "one by one, mean", mean(DOWN)).condition(),
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
