//! A call that makes a call while it holds a permit.

use std::time::Duration;

use super::common::{millis, peak};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, Phase, Profile,
    RequestFigure, VendorFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "nested-permits",
        group: Group::Calls,
        mistake: "a call makes another call while it holds a permit: when all permits are held by such calls, none of them \
                  can go on",
        fix: "one call after the other: the first has given its permit back before the second waits for one",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that a chain of calls must give up its permit in between: one permit for the whole chain is as right. \
                     Only a second one is wrong",
        by_hand: ByHand::NeedsItsLab(
            "It shows with as many requests for a summary as there are permits. The requests here make one call each.",
        ),
        normal: profile(&Numbers { idle: millis(1000), call: millis(500) }),
        fast: profile(&Numbers { idle: millis(300), call: millis(250) }),
    }
}

struct Numbers {
    idle: Duration,
    /// How long a call takes. All other times follow from it.
    call: Duration,
}

const PERMITS: u32 = 4;
const REQUESTS: u32 = 8;
/// Fewer requests than permits: one is free for the second calls.
const FEW: &str = "few";

fn profile(n: &Numbers) -> Profile {
    let call = n.call.as_millis();
    // Waits of up to one call are usual here; the queue timeout is eight, and users leave after seven.
    let limits = format!(
        "--max-in-flight {PERMITS} --queue-timeout {}ms --call-timeout {}ms --sla {}ms",
        8 * call,
        38 * call,
        96 * call
    );
    let summaries = |requests| {
        let request = Request::whole().at("/llm/summary");
        Load::new("summaries", request).schedule(Schedule::at_once(requests)).disconnecting_after(n.call * 7)
    };
    Profile {
        vendor: flags(&format!("--tokens 1 --ttft {call}ms")),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(FEW, "3 requests").adds(summaries(PERMITS - 1)).until_done(n.call * 6),
            // All of them take as long as four calls. Nobody has given up yet.
            Phase::new(LOADED, "8 requests").adds(summaries(REQUESTS)).settle(n.call * 5).hold(n.call),
            Phase::new("after", "after").hold(n.call * 4),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let completed = |arm, phase| at(arm, phase).calls(RequestFigure::Completed);
    let answered = |arm, requests| Claim::exactly(requests, "requests answered", completed(arm, LOADED));
    let started = |arm, calls| Claim::exactly(calls, "calls begun", at(arm, LOADED).ledger(LedgerFigure::Started));
    let held = |arm, permits| {
        let metric = at(arm, LOADED).metric(MetricName::new("llm_concurrent_calls"), MetricFigure::Value);
        Claim::exactly(permits, "permits held, after 6 calls' time", metric)
    };
    let idle = at("broken", LOADED).vendor(VendorFigure::Active);
    vec![
        answered("broken", 0),
        started("broken", PERMITS),
        held("broken", PERMITS),
        answered("fixed", REQUESTS),
        started("fixed", 2 * REQUESTS),
        held("fixed", 0),
        // With fewer requests than permits nothing shows.
        Claim::exactly(PERMITS - 1, "answered, of 3 requests", completed("broken", FEW)).condition(),
        Claim::exactly(0, "calls at the vendor meanwhile", idle).condition(),
        Claim::exactly(PERMITS, "calls at the vendor, peak", peak("control")).pressure(),
        answered("control", REQUESTS).control(),
        started("control", 2 * REQUESTS).control(),
        held("control", 0).control(),
    ]
}
