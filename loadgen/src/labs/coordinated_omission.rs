//! A server that stalls now and then, and one that fails every stream, measured in two ways.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, ClosedLoopFigure, ClosedLoopProbe, Figure, Group, LOADED, Lab, Load, Phase, Profile,
    RequestFigure, Upstream, at, flags, whole_run,
};
use crate::result::Quantile;

pub(super) fn lab() -> Lab {
    Lab {
        name: "coordinated-omission",
        group: Group::Threads,
        mistake: "the event loop stalls now and then; checks sent one after another, and their mean, do not show it",
        fix: "blocking work runs on its own thread; checks are sent on a schedule and timed from when they were due, \
              failures count, percentiles are judged",
        fix_file: "fixed-server/src/api/health.rs",
        repair_file: "broken-server/src/pool.rs",
        proves_not: "that closed loops are useless: they show how fast the server is for one user, not what happens \
                     to the many who arrive during a stall",
        by_hand: ByHand::Shows(
            "Wait, with any number of streams. Every 10 s the event loop stalls for 2 s, and both health checks \
             with it.",
        ),
        normal: profile(&Numbers {
            tokens: 88,
            streams: 40,
            checks: 200,
            stall: secs(2),
            loaded: secs(20),
            pause: millis(5),
            drain: secs(2),
        }),
        fast: profile(&Numbers {
            tokens: 36,
            streams: 12,
            checks: 100,
            stall: millis(800),
            loaded: millis(7600),
            pause: millis(10),
            drain: millis(800),
        }),
    }
}

struct Numbers {
    tokens: u32,
    streams: u32,
    /// Simultaneous checks for fixed-server, each with blocking work.
    checks: u32,
    /// How long the event loop stalls, once in five times this.
    stall: Duration,
    loaded: Duration,
    /// Between two checks of the closed loop.
    pause: Duration,
    drain: Duration,
}

/// A server without a vendor: it fails every stream.
const DOWN: &str = "broken-down";
/// The original script's limit for the mean.
const SOURCE_MS: f64 = 100.0;

fn profile(n: &Numbers) -> Profile {
    let stall = n.stall.as_millis();
    let of_a_stall = |latency: Figure| latency.in_units_of(n.stall, "of a stall");
    let on_schedule = |arm| at(arm, LOADED).p99("health_sync");
    let one_by_one = |arm, what| at(arm, LOADED).closed_loop(what);
    let one_by_one_p99 = || one_by_one("broken", ClosedLoopFigure::Latency(Quantile::P99));
    let checked = |what| at("fixed", "checks").calls(what);
    let slowest_check = of_a_stall(checked(RequestFigure::Latency(Quantile::Max)));
    let lost = whole_run(DOWN).streams(RequestFigure::Lost);
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![
            Arm::broken().mistake_flags(format!("--stall-every {}ms --stall-for {stall}ms", 5 * stall)),
            Arm::broken().named(DOWN).running("none").calling(Upstream::Unreachable),
            Arm::control(),
            Arm::fixed(),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, format!("{} streams", n.streams))
                .adds(Load::streams(n.streams).over(millis(200)))
                .hold(n.loaded),
            Phase::new("checks", "many checks").only("fixed").adds(Load::get(n.checks, "/health")).hold(millis(800)),
        ],
        closed_loop: Some(ClosedLoopProbe { path: "/debug/health-sync", pause: n.pause }),
        probe_timeout: secs(4),
        drain: n.drain,
        claims: vec![
            Claim::at_least(0.5, "on schedule, p99", of_a_stall(on_schedule("broken"))),
            Claim::apart(5.0, "p99, on schedule over one by one", on_schedule("broken"), one_by_one_p99()),
            Claim::apart(5.0, "p99 on schedule, broken over fixed", on_schedule("broken"), on_schedule("fixed")),
            // p99, not p90: this lab is about a single stall in a run.
            Claim::at_most(0.25, "on schedule, p99", of_a_stall(on_schedule("fixed"))),
            Claim::exactly(n.checks, "simultaneous checks answered", checked(RequestFigure::Completed)),
            Claim::at_most(0.25, "simultaneous checks, slowest", slowest_check),
            Claim::at_most(SOURCE_MS, "one by one, mean", one_by_one("broken", ClosedLoopFigure::Mean)).condition(),
            Claim::at_most(0.2, "one by one, p99", of_a_stall(one_by_one_p99())).condition(),
            Claim::at_most(SOURCE_MS, "one by one, mean", one_by_one(DOWN, ClosedLoopFigure::Mean)).condition(),
            Claim::exactly(n.streams, "streams lost: all of them", lost).condition(),
            Claim::at_most(0.25, "on schedule, p90", of_a_stall(at("control", LOADED).p90("health_sync"))).control(),
        ],
        ..Profile::default()
    }
}
