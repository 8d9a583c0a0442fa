//! Nothing ends a call that the vendor does not answer.

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
        name: "no-client-timeout",
        group: Group::Calls,
        mistake: "the client of the vendor has no timeouts: a call that is never answered keeps its permit, until none is \
                  left",
        fix: "a limit for each wait: for the connection, the whole call, the first token of a stream, and each silence \
              after it",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "how long a timeout should be, or what a connection does that is never accepted: on one machine it is \
                     accepted or refused at once",
        by_hand: ByHand::NeedsItsLab("It shows when the vendor leaves calls unanswered, as in its lab."),
        normal: profile(&Numbers { timeout: secs(3) }),
        fast: profile(&Numbers { timeout: millis(1200) }),
    }
}

struct Numbers {
    /// Of a call, of a first token, and of a silence.
    timeout: Duration,
}

/// Of each kind of unanswered requests. Together they take all permits.
const EACH: u32 = 4;
const PERMITS: u32 = 3 * EACH;
const HEALTHY: u32 = 20;
/// Slow enough for each to find a permit free.
const HEALTHY_OVER: Duration = millis(1500);
const UNANSWERED: &str = "unanswered";
/// From the timeout to the look at the permits.
const AFTER_TIMEOUT: Duration = millis(600);

fn profile(n: &Numbers) -> Profile {
    let timeout = n.timeout.as_millis();
    let queue = n.timeout / 6;
    // The SLA is far away, so that it is not what ends the calls.
    let limits = format!(
        "--max-in-flight {PERMITS} --queue-timeout {queue}ms --call-timeout {timeout}ms --first-token-timeout {timeout}ms \
         --idle-timeout {timeout}ms --sla 10m --attempts 1",
        queue = queue.as_millis()
    );
    let unanswered =
        |name, request: Request, fault| Load::new(name, request.fault(fault)).schedule(Schedule::at_once(EACH));
    let healthy = Load::calls(HEALTHY).named("healthy").tokens(1).over(HEALTHY_OVER);
    Profile {
        vendor: flags("--tokens 20 --ttft 50ms --inter-token 50ms"),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(300)),
            Phase::new(UNANSWERED, "unanswered")
                .adds(unanswered("calls", Request::whole(), "hang"))
                .adds(unanswered("silent", Request::chat(), "hang"))
                .adds(unanswered("stalled", Request::chat(), "hang-after=2"))
                .hold(n.timeout + AFTER_TIMEOUT),
            Phase::new(LOADED, "healthy").adds(healthy).hold(queue + millis(300)),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let held = |arm, phase, count: u32, name| {
        let permits = at(arm, phase).metric(MetricName::new("llm_concurrent_calls"), MetricFigure::Value);
        Claim::exactly(count, name, permits)
    };
    let answered = |arm| at(arm, LOADED).calls(RequestFigure::Completed);
    let served = |arm| Claim::at_least(0.95 * f64::from(HEALTHY), "healthy calls answered", answered(arm));
    let of = |arm, load| at(arm, UNANSWERED).load(load);
    let ended = |name: &str, figure| Claim::exactly(EACH, name, figure);
    let clean = |arm| {
        vec![
            ended("calls ended by the call timeout", of(arm, "calls").calls(RequestFigure::Status(502))),
            ended("silent streams ended, first token", of(arm, "silent").streams(RequestFigure::Status(502))),
            ended("stalled streams ended, idle", of(arm, "stalled").streams(RequestFigure::Failure("error event"))),
            held(arm, UNANSWERED, 0, "permits held after the timeouts"),
            served(arm),
        ]
    };
    let mut claims = vec![
        held("broken", UNANSWERED, PERMITS, "permits held after the timeouts"),
        Claim::exactly(0, "healthy calls answered", answered("broken")),
        held("broken", LOADED, PERMITS, "permits held at the end"),
    ];
    claims.extend(clean("fixed"));
    let unanswered = at("control", UNANSWERED).vendor(VendorFigure::Failed);
    let asked = at("control", LOADED).calls(RequestFigure::Requested);
    claims.push(Claim::at_least(PERMITS, "calls left unanswered", unanswered).pressure());
    claims.push(Claim::exactly(HEALTHY, "healthy calls", asked).pressure());
    claims.extend(clean("control").into_iter().map(Claim::control));
    claims
}
