//! The permit and the rate limiter as two limits in a row, in both orders.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, Phase, Profile,
    RequestFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::{ExpectedAnswer, Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "limiter-inside-permit",
        group: Group::Calls,
        mistake: "a call takes its permit, and waits for the rate of its model with it: one model over its rate holds the \
                  permits of all",
        fix: "permit and rates are taken at the same instant, or nothing is; a call that waits for its model's rate lets \
              those of others pass",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that two limits in a row cost throughput: with one model they answer as many calls, in either order",
        by_hand: ByHand::NeedsItsLab(
            "It shows when calls of two models share the permits, and one of the models is over its rate, as in its lab.",
        ),
        normal: profile(&Numbers { idle: secs(1), hold: secs(4) }),
        fast: profile(&Numbers { idle: millis(500), hold: secs(2) }),
    }
}

struct Numbers {
    idle: Duration,
    /// Of each phase.
    hold: Duration,
}

const PERMITS: u32 = 4;
/// Calls a second of the limited model, of which 19 of 20 are used.
const RATE: f64 = 10.0;
const LIMITED_OFFERED: f64 = 40.0;
const OTHER_OFFERED: f64 = 20.0;
/// How long a user of the other model stays: four calls.
const PATIENCE: Duration = millis(400);
/// The phase with the limited model alone.
const ONE: &str = "one";
/// The phase in which its calls are so long that permits are short.
const LONG: &str = "long";
/// The arm with the order of the source.
const RATE_FIRST: &str = "broken-rate";

fn profile(n: &Numbers) -> Profile {
    let limits = format!(
        "--max-in-flight {PERMITS} --model-rate-limit limited={RATE}/1s --queue-timeout 500ms --call-timeout 3s --sla 6s"
    );
    let calls = |model: &str, offered| {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"test"}}]}}"#);
        Load::new(model, Request::post("/llm", body, ExpectedAnswer::Whole)).schedule(Schedule::rate(offered))
    };
    let limited = || calls("limited", LIMITED_OFFERED);
    Profile {
        vendor: flags("--tokens 1 --ttft 100ms"),
        arms: vec![
            Arm::broken().flags(&limits),
            Arm::broken().named(RATE_FIRST).flags(&limits).mistake_flags("--waits-first-for rate"),
            Arm::control().flags(&limits),
            Arm::fixed().flags(&limits),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, "two models")
                .adds(limited())
                .adds(calls("other", OTHER_OFFERED).disconnecting_after(PATIENCE))
                .hold(n.hold),
            // Those of the phase before are gone.
            Phase::new(ONE, "one model").adds(limited()).settle(millis(700)).hold(n.hold),
            Phase::new(LONG, "long calls").adds(limited().ttft(millis(2800))).settle(millis(700)).hold(n.hold),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let held = n.hold.as_secs_f64();
    let calls = |arm, model, what| at(arm, LOADED).load(model).calls(what);
    let other = |arm| calls(arm, "other", RequestFigure::Completed);
    let others_answered = |arm| Claim::at_least(0.8 * OTHER_OFFERED * held, "other model's calls answered", other(arm));
    let per_second = |arm, phase| at(arm, phase).load("limited").calls(RequestFigure::CompletedPerSecond);
    let rate_used = |arm| Claim::at_least(0.7 * RATE, "limited model's answers per second", per_second(arm, LOADED));
    let alone = |arm: &'static str| {
        let name = format!("one model: {arm} over fixed");
        Claim::at_least(0.85, name, per_second(arm, ONE).over(per_second("fixed", ONE)))
    };
    let taken = |arm| {
        let taken = at(arm, LONG).metric(MetricName::new("llm_rate_limit_taken_total"), MetricFigure::Increase);
        taken.over(at(arm, LONG).ledger(LedgerFigure::Started))
    };
    let none_wasted = |arm| Claim::at_most(1.25, "rate taken over calls, long calls", taken(arm));
    let asked = |model| calls("control", model, RequestFigure::Requested);
    vec![
        Claim::at_most(0.5 * OTHER_OFFERED * held, "other model's calls answered", other("broken")),
        Claim::at_least(2, "rate taken over calls, long calls", taken(RATE_FIRST)),
        others_answered("fixed"),
        rate_used("fixed"),
        none_wasted("fixed"),
        // What is right about each order.
        others_answered(RATE_FIRST).condition(),
        alone("broken").condition(),
        alone(RATE_FIRST).condition(),
        Claim::at_least(0.9 * LIMITED_OFFERED * held, "limited model's requests", asked("limited")).pressure(),
        Claim::at_least(0.9 * OTHER_OFFERED * held, "other model's requests", asked("other")).pressure(),
        others_answered("control").control(),
        rate_used("control").control(),
        none_wasted("control").control(),
    ]
}
