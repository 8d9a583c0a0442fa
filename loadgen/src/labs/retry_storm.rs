//! Retries keep an outage alive after its cause is gone.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Action, Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, PerRequestFigure,
    Phase, Profile, RequestFigure, VendorFigure, at, flags,
};
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "retry-storm",
        group: Group::Calls,
        mistake: "each request decides for itself whether to try again: after a stall their retries are more than the \
                  vendor can serve, so that all of them fail, and are tried again",
        fix: "a retry budget for all requests together: an outage does not multiply the load",
        fix_file: "fixed-server/src/stack/retry.rs",
        repair_file: "broken-server/src/call_style/retry.rs",
        proves_not: "that a budget makes an outage shorter: while the vendor stalls, nobody is answered by any of them. What \
                     it does is that the outage ends with its cause",
        by_hand: ByHand::NeedsItsLab(
            "It shows when calls keep coming while the vendor stalls, and after it has recovered, as in its lab.",
        ),
        normal: profile(&Numbers {
            idle: secs(1),
            before: secs(2),
            stall: secs(3),
            settle: secs(2),
            after: secs(3),
            pause: millis(1500),
            again: millis(1500),
        }),
        fast: profile(&Numbers {
            idle: millis(300),
            before: secs(1),
            stall: millis(1500),
            settle: millis(1500),
            after: millis(1500),
            pause: millis(1200),
            again: millis(800),
        }),
    }
}

struct Numbers {
    idle: Duration,
    before: Duration,
    /// How long the vendor answers nothing.
    stall: Duration,
    /// From when the vendor is healthy again until the measurement.
    settle: Duration,
    after: Duration,
    /// Without any requests.
    pause: Duration,
    again: Duration,
}

/// A call takes 200 ms, and 10 run at once: 50 a second.
const VENDOR: &str = "--tokens 2 --ttft 100ms --inter-token 100ms --slots 10";
/// Requests a second: 70 % of what the vendor can serve.
const RATE: f64 = 35.0;
/// Until as many are answered as are sent.
const BEGIN: Duration = millis(300);
const BEFORE: &str = "before";
const STALL: &str = "stall";
const AGAIN: &str = "again";

fn profile(n: &Numbers) -> Profile {
    let limits = "--queue-timeout 100ms --call-timeout 400ms --sla 4s --retry-reserve 1";
    let permits = "--queue-timeout 100ms --call-timeout 400ms --sla 4s --retry-reserve 1000 --retry-budget 100 \
                   --max-in-flight 10";
    let users = || Load::new("users", Request::whole()).schedule(Schedule::rate(RATE));
    Profile {
        vendor: flags(VENDOR),
        arms: vec![
            Arm::broken().flags(limits),
            Arm::control().flags(limits),
            Arm::fixed().flags(limits),
            Arm::fixed().named("fixed-permit").flags(permits),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(BEFORE, "before").adds(users()).settle(BEGIN).hold(n.before),
            Phase::new(STALL, "stall")
                .adds(users())
                .action(Action::faults(&["hang"]))
                .action(Action::faults(&[]).at(n.stall))
                .hold(n.stall),
            Phase::new(LOADED, "after").adds(users()).settle(n.settle).hold(n.after),
            Phase::new("pause", "pause").hold(n.pause),
            Phase::new(AGAIN, "again").adds(users()).settle(BEGIN).hold(n.again),
        ],
        probes: vec![HEALTH_ASYNC],
        probe_rate: 10.0,
        drain: millis(500),
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let answered = |arm, phase| at(arm, phase).calls(RequestFigure::CompletedPerSecond);
    let over_before = |arm, phase| answered(arm, phase).over(answered(arm, BEFORE));
    let recovers = |arm| Claim::at_least(0.9, "answered after the stall, over before", over_before(arm, LOADED));
    let all_answered = |arm| Claim::at_least(0.9 * RATE, "answered per second before", answered(arm, BEFORE));
    let failed = |arm, phase| at(arm, phase).vendor(VendorFigure::Failed);
    let calls = LedgerFigure::AttemptsPerRequest(PerRequestFigure::Mean);
    let after = n.settle + n.after;
    vec![
        Claim::at_most(0.05, "answered after the stall, over before", over_before("broken", LOADED)),
        Claim::at_least(1.5, "calls for each request after it, mean", at("broken", LOADED).ledger(calls)),
        Claim::at_least(
            RATE * after.as_secs_f64(),
            "calls given up after it",
            at("broken", LOADED).ledger(LedgerFigure::Cancelled),
        ),
        recovers("fixed"),
        recovers("fixed-permit"),
        // It was well before, its vendor is well afterwards, and so is it itself, once the load has paused.
        all_answered("broken").condition(),
        Claim::exactly(0, "calls that the vendor failed after it", failed("broken", LOADED)).condition(),
        Claim::at_least(0.9, "answered after a pause, over before", over_before("broken", AGAIN)).condition(),
        Claim::at_least(0.9 * RATE * n.stall.as_secs_f64(), "calls that hung in the stall", failed("control", STALL))
            .pressure(),
        Claim::at_least(
            0.9 * RATE * after.as_secs_f64(),
            "requests after it",
            at("control", LOADED).calls(RequestFigure::Requested),
        )
        .pressure(),
        all_answered("control").control(),
        recovers("control").control(),
    ]
}
