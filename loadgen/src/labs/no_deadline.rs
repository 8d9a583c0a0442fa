//! Each attempt has its own timeouts, and the request has no deadline.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, PerRequestFigure, Phase,
    Profile, RequestFigure, at, flags, whole_run,
};
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "no-deadline",
        group: Group::Calls,
        mistake: "each attempt has its own timeouts and the request has none: they add up to more than clients wait",
        fix: "one deadline for the request, handed down to all steps: none goes on beyond it, and no attempt begins that \
              it leaves no time for",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "how long the SLA should be, or anything about streams, whose deadline ends with their first token",
        by_hand: ByHand::NeedsItsLab(
            "It shows when the vendor hangs, or asks to wait, while clients have only so much patience, as in its lab.",
        ),
        normal: profile(&Numbers { idle: secs(1), unit: secs(2), requests: 16 }),
        fast: profile(&Numbers { idle: millis(300), unit: secs(1), requests: 12 }),
    }
}

struct Numbers {
    idle: Duration,
    /// A third of the SLA. The vendor's `Retry-After` is as long, so it is in whole seconds.
    unit: Duration,
    /// Of each load.
    requests: u32,
}

/// After the SLA. The third attempts begin in it.
const LATE: &str = "late";
/// Of users, in SLAs: a browser or a proxy waits a little longer than the server has promised.
const PATIENCE: f64 = 1.25;
/// Over which the requests of a load are sent: all at once they would be a burst for this machine.
const SPREAD: Duration = millis(100);

fn profile(n: &Numbers) -> Profile {
    let (sla, call, unit) = (3 * n.unit, n.unit * 3 / 2, n.unit.as_secs());
    // The sources' ratios: 5 s, 30 s and 60 s.
    let limits = format!(
        "--queue-timeout {}ms --call-timeout {}ms --sla {}s --attempts 3 --min-attempt-time {unit}s --retry-budget 100 \
         --retry-reserve 1000",
        call.as_millis() / 6,
        call.as_millis(),
        sla.as_secs(),
    );
    let load = |name: &str, fault: &str| {
        Load::new(name, Request::whole().fault(fault)).schedule(Schedule::once(n.requests, SPREAD))
    };
    let users = load("users", "hang").disconnecting_after(sla.mul_f64(PATIENCE));
    let failing = load("failing", &format!("status=503;retry-after={unit};first=2"));
    Profile {
        // A call takes a little longer than the shortest time for which an attempt is worth while.
        vendor: flags(&format!("--tokens 1 --ttft {}ms", n.unit.as_millis() * 11 / 10)),
        arms: vec![
            Arm::broken().flags(&limits),
            Arm::broken().named("broken-outer").flags(&limits).mistake_flags("--outer-timeout"),
            Arm::control().flags(&limits),
            Arm::fixed().flags(&limits),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, "within SLA").adds(users).adds(load("jobs", "hang")).adds(failing).hold(sla),
            // Two pauses of at most 0.5 and 1 s are before a third attempt.
            Phase::new(LATE, "after it").hold(millis(1600)),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: secs(4),
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let left = |arm, users| {
        let gone = at(arm, LOADED).load("users").calls(RequestFigure::Disconnected);
        Claim::exactly(users, "users who left unanswered", gone)
    };
    let failing = |arm, status| {
        let answered = at(arm, LOADED).load("failing").calls(RequestFigure::Status(status));
        let name = if status == 504 { "failing ones answered at the SLA" } else { "failing ones answered before it" };
        Claim::exactly(n.requests, name, answered)
    };
    let late = |arm| at(arm, LATE).ledger(LedgerFigure::Started);
    let none_late = |arm| Claim::exactly(0, "calls begun after the SLA", late(arm));
    let attempts = |arm, over| whole_run(arm).ledger(LedgerFigure::AttemptsPerRequest(PerRequestFigure::Over(over)));
    let no_third = |arm| Claim::exactly(0, "requests with a third attempt", attempts(arm, 2));
    vec![
        left("broken", n.requests),
        // Those of the jobs; some users leave before theirs.
        Claim::at_least(n.requests, "calls begun after the SLA", late("broken")),
        Claim::at_least(2 * n.requests, "requests with a third attempt", attempts("broken", 2)),
        // Of those whose pauses leave a little time for one.
        Claim::at_least(n.requests / 4, "requests with a third attempt", attempts("broken-outer", 2)),
        failing("broken-outer", 504),
        left("fixed", 0),
        none_late("fixed"),
        no_third("fixed"),
        failing("fixed", 502),
        // What the sources get right: their endpoint keeps its promise.
        left("broken-outer", 0).condition(),
        Claim::exactly(3 * n.requests, "requests at the vendor", attempts("control", 0)).pressure(),
        left("control", 0).control(),
        none_late("control").control(),
        no_third("control").control(),
        failing("control", 502).control(),
    ]
}
