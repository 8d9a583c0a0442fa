//! A call keeps its permit while it waits before another attempt.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, Load, MetricFigure, Phase, Profile, RequestFigure,
    VendorFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "sleep-with-permit",
        group: Group::Calls,
        mistake: "a call keeps its permit while it waits before another attempt: all permits are held, and the vendor is \
                  half idle",
        fix: "retries around the permit: each attempt takes one, and gives it back before the wait",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that it halves every server's throughput: how much is lost depends on how many calls fail, and on \
                     how long the wait is beside a call",
        by_hand: ByHand::NeedsItsLab(
            "It shows when calls fail, are tried again, and more of them come than there are permits, as in its lab.",
        ),
        normal: profile(&Numbers { idle: secs(1), hold: secs(8) }),
        fast: profile(&Numbers { idle: millis(500), hold: secs(4) }),
    }
}

struct Numbers {
    idle: Duration,
    hold: Duration,
}

const PERMITS: u32 = 6;
/// Answers a second: each call takes 250 ms, and what fails before it no time.
const CAPACITY: f64 = 24.0;
/// Requests a second.
const OFFERED: f64 = 40.0;
/// The phase after the load.
const AFTER: &str = "after";

fn profile(n: &Numbers) -> Profile {
    let limits = format!(
        "--max-in-flight {PERMITS} --queue-timeout 500ms --call-timeout 3s --sla 6s --retry-budget 100 \
         --retry-reserve 1000"
    );
    // The wait before the retry is up to 500 ms, on average as long as a call.
    let calls = Load::new("calls", Request::whole().fault("status=503;first=1")).schedule(Schedule::rate(OFFERED));
    Profile {
        vendor: flags("--tokens 1 --ttft 250ms"),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, "failing").adds(calls).settle(millis(700)).hold(n.hold),
            // The longest request: 500 ms in the queue, a wait of 500 ms, once more in the queue, and its call.
            Phase::new(AFTER, "after").hold(millis(1750)),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let answered = |arm| at(arm, LOADED).calls(RequestFigure::CompletedPerSecond);
    let goodput = |arm| Claim::at_least(0.85 * CAPACITY, "calls answered per second", answered(arm));
    let at_vendor = |arm| at(arm, LOADED).vendor(VendorFigure::ActiveThroughout);
    let busy = |arm| Claim::at_least(PERMITS - 2, "calls at the vendor throughout", at_vendor(arm));
    let held = |phase| at("broken", phase).metric(MetricName::new("llm_concurrent_calls"), MetricFigure::Value);
    let asked = at("control", LOADED).calls(RequestFigure::Requested);
    vec![
        Claim::at_most(0.65 * CAPACITY, "calls answered per second", answered("broken")),
        Claim::at_most(PERMITS / 2, "calls at the vendor throughout", at_vendor("broken")),
        Claim::apart(1.5, "calls answered, fixed over broken", answered("fixed"), answered("broken")),
        goodput("fixed"),
        busy("fixed"),
        Claim::at_least(PERMITS - 1, "permits held meanwhile", held(LOADED)).condition(),
        // It is half of the throughput, not all of it: there is no deadlock.
        Claim::at_least(0.35 * CAPACITY, "calls answered per second all the same", answered("broken")).condition(),
        Claim::exactly(0, "permits held after the load", held(AFTER)).condition(),
        Claim::at_least(0.9 * OFFERED * n.hold.as_secs_f64(), "requests", asked).pressure(),
        goodput("control").control(),
        busy("control").control(),
    ]
}
