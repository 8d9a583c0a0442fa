//! What is recorded after a call is not recorded of clients that disconnect.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, Phase, Profile,
    RequestFigure, VendorFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::Client;

pub(super) fn lab() -> Lab {
    Lab {
        name: "lost-cleanup",
        group: Group::Calls,
        mistake: "the outcome of a request is recorded by the code after the call: when its client disconnects, that code \
                  never runs",
        fix: "a guard that moves with the request records the outcome when it is dropped, however that comes",
        fix_file: "fixed-server/src/outcome.rs",
        repair_file: "broken-server/src/call_guard.rs",
        proves_not: "that a shield is useless: it keeps a clean-up from being cancelled that has begun. Here none begins",
        by_hand: ByHand::NeedsItsLab(
            "It shows in the server's own metrics once clients have left: its lab compares them with what clients did.",
        ),
        normal: profile(&Numbers { idle: secs(1), call_timeout: secs(3) }),
        fast: profile(&Numbers { idle: millis(500), call_timeout: secs(2) }),
    }
}

struct Numbers {
    idle: Duration,
    call_timeout: Duration,
}

/// Of streams and of calls, each: half of them time out, half of them are left by their clients.
const HALF: u32 = 50;
const ALL: u32 = 2 * HALF;
/// Long before the call timeout.
const PATIENCE: Duration = millis(800);
const LATER: &str = "later";

fn profile(n: &Numbers) -> Profile {
    let timeout = n.call_timeout.as_millis();
    let limits = format!(
        "--queue-timeout 500ms --call-timeout {timeout}ms --first-token-timeout {timeout}ms --sla 6s --attempts 1"
    );
    let load = |load: Load, name, fault| load.fault(fault).named(name).over(millis(600));
    // This client is certain that its request has arrived when it leaves.
    let after_tokens = Client::default().disconnects_after_tokens(3);
    Profile {
        vendor: flags("--tokens 10 --ttft 50ms --inter-token 20ms"),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, "hanging")
                .adds(load(Load::calls(HALF), "late calls", "hang"))
                .adds(load(Load::streams(HALF), "late streams", "hang"))
                .adds(load(Load::calls(HALF), "calls left", "hang").disconnecting_after(PATIENCE))
                .adds(load(Load::streams(HALF), "streams left", "hang-after=3").client(after_tokens))
                .until_done(n.call_timeout + secs(2)),
            Phase::new(LATER, "later").hold(millis(500)),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let metric = |arm, name| at(arm, LATER).metric(name, MetricFigure::Value);
    let outcomes = || MetricName::new("llm_outcomes_total");
    let recorded = |arm, outcome| metric(arm, outcomes().with("outcome", outcome));
    let timeouts = |arm| Claim::exactly(ALL, "time-outs recorded", recorded(arm, "call_timeout"));
    let disconnects = |arm, exactly| Claim::exactly(exactly, "disconnects recorded", recorded(arm, "disconnected"));
    let ended = |arm, exactly| Claim::exactly(exactly, "outcomes of 200 requests", metric(arm, outcomes()));
    let left = |arm| {
        let clients =
            [at(arm, LOADED).calls(RequestFigure::Disconnected), at(arm, LOADED).streams(RequestFigure::Disconnected)];
        clients.map(|clients| Claim::exactly(HALF, "clients that left", clients).pressure())
    };
    let arrived = |arm| {
        let hung = at(arm, LOADED).ledger(LedgerFigure::Unanswered);
        Claim::exactly(ALL + HALF, "calls that the vendor did not answer", hung).pressure()
    };
    let active = at("broken", LATER).vendor(VendorFigure::Active);
    let mut claims = vec![
        disconnects("broken", 0),
        ended("broken", ALL),
        timeouts("fixed"),
        disconnects("fixed", ALL),
        ended("fixed", 2 * ALL),
        // What the source's shield is for works, and would without it. So does what is done in a `drop`.
        timeouts("broken").condition(),
        Claim::exactly(2 * ALL, "requests begun", metric("broken", MetricName::new("llm_calls_total"))).condition(),
        Claim::exactly(0, "permits still held", metric("broken", MetricName::new("llm_concurrent_calls"))).condition(),
        Claim::exactly(0, "calls still active at the vendor", active).condition(),
        timeouts("control").control(),
        disconnects("control", ALL).control(),
        ended("control", 2 * ALL).control(),
    ];
    for arm in ["broken", "control", "fixed"] {
        claims.extend(left(arm));
        claims.push(arrived(arm));
    }
    claims
}
