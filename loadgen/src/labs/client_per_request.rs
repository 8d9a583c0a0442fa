//! Each request makes an HTTP client, and with it a pool of connections, for its call.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, Phase, Profile, RequestFigure,
    StepFigure, at, flags,
};
use crate::traffic::{Request, Step};

pub(super) fn lab() -> Lab {
    Lab {
        name: "client-per-request",
        group: Group::Operations,
        mistake: "each request makes an HTTP client for its call, so each call opens a connection, and none finds that of an \
                  earlier one",
        fix: "one client for all calls: a connection whose answer has ended is used again",
        fix_file: "fixed-server/src/upstream.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that calls fail by it: all are answered. On one machine a connection costs less than a millisecond; \
                     to a vendor over TLS it costs two or three round trips, and at some hundred calls a second the ports",
        by_hand: ByHand::NeedsItsLab(
            "It shows in the vendor's ledger, as the number of connections: its lab compares it with the number of calls.",
        ),
        normal: profile(&Numbers { idle: secs(1), over: secs(6) }),
        fast: profile(&Numbers { idle: millis(300), over: secs(3) }),
    }
}

struct Numbers {
    idle: Duration,
    /// Time over which the calls of the second phase are sent.
    over: Duration,
}

/// As in the source: one after another.
const IN_SEQUENCE: u32 = 12;
const CALLS: u32 = 200;
const STREAMS: u32 = 40;
const SEQUENCE: &str = "sequence";
const STREAMED: &str = "streamed";

fn profile(n: &Numbers) -> Profile {
    let step = |number: u32| Step::new(number.to_string(), Request::whole());
    let sequence = Load::sequence("sequence", (1..=IN_SEQUENCE).map(step).collect());
    Profile {
        // A call of 60 ms.
        vendor: flags("--tokens 2 --ttft 40ms --inter-token 20ms"),
        arms: vec![Arm::broken(), Arm::control(), Arm::fixed()],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(SEQUENCE, "12 calls").adds(sequence).until_done(millis(2500)),
            Phase::new(LOADED, "200 calls").adds(Load::calls(CALLS).over(n.over)).until_done(millis(1500)),
            Phase::new(STREAMED, "40 streams").adds(Load::streams(STREAMS).over(n.over / 3)).until_done(millis(1500)),
        ],
        probes: vec![HEALTH_ASYNC],
        probe_rate: 10.0,
        drain: Duration::ZERO,
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let opened = |arm, phase| at(arm, phase).ledger(LedgerFigure::Connections);
    let one_each = |calls, name: &str, phase| Claim::exactly(calls, name, opened("broken", phase));
    // A call finds no free connection while as many others are at the vendor, two to four on average, or when it comes
    // before the connection of the last one is back in the pool.
    let few = |arm, most, name: &str, phase| Claim::at_most(most, name, opened(arm, phase));
    let in_sequence = |arm| at(arm, SEQUENCE).steps(StepFigure::Answered);
    let answered = |arm| at(arm, LOADED).calls(RequestFigure::Completed);
    let streamed = |arm| at(arm, STREAMED).streams(RequestFigure::Completed);
    let shared = |arm| {
        [
            few(arm, IN_SEQUENCE / 6, "connections, 12 calls in sequence", SEQUENCE),
            few(arm, CALLS / 5, "connections, 200 calls", LOADED),
            few(arm, STREAMS / 5, "connections, 40 streams", STREAMED),
        ]
    };
    let all = |arm| {
        [
            Claim::exactly(IN_SEQUENCE, "calls in sequence answered", in_sequence(arm)),
            Claim::exactly(CALLS, "calls answered", answered(arm)),
            Claim::exactly(STREAMS, "streams completed", streamed(arm)),
        ]
    };
    let mut claims = vec![
        one_each(IN_SEQUENCE, "connections, 12 calls in sequence", SEQUENCE),
        one_each(CALLS, "connections, 200 calls", LOADED),
        one_each(STREAMS, "connections, 40 streams", STREAMED),
    ];
    claims.extend(shared("fixed"));
    claims.extend(all("fixed"));
    // It is waste, and no error.
    claims.extend(all("broken").map(Claim::condition));
    let started = at("control", LOADED).ledger(LedgerFigure::Started);
    claims.push(Claim::exactly(CALLS, "calls started by the vendor", started).pressure());
    claims.extend(shared("control").into_iter().chain(all("control")).map(Claim::control));
    claims
}
