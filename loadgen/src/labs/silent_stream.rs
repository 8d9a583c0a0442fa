//! Nothing is sent before the first token, and the balancer takes the server for dead.

use std::time::Duration;

use wire::outcome::Outcome;

use super::common::{millis, peak, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Deployment, DeploymentFigure, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load,
    MetricFigure, Phase, Profile, RequestFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "silent-stream",
        group: Group::Calls,
        mistake: "nothing is sent before the first token: a balancer in front closes connections that are silent for \
                  longer than its idle time-out, and a thinking model is silent for longer",
        fix: "comments until the first token, well within the balancer's time-out, or a longer one at the balancer",
        fix_file: "fixed-server/src/body/early.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that comments should be on: with them the status is 200 before anything is known, so a client has to \
                     look for an error event. Where you can set the balancer's time-out, set that",
        by_hand: ByHand::NeedsItsLab(
            "It shows behind a balancer that closes silent connections, as in its lab. Here nothing is in between.",
        ),
        normal: profile(&Numbers { silence: secs(4), first_token: secs(6), interval: secs(1) }),
        fast: profile(&Numbers { silence: secs(2), first_token: secs(3), interval: millis(500) }),
    }
}

struct Numbers {
    /// How long the balancer lets a server be silent.
    silence: Duration,
    /// How late the first token is.
    first_token: Duration,
    /// From one comment to the next: a quarter of the balancer's time.
    interval: Duration,
}

/// The mistake behind a balancer that waits for longer.
const LONGER: &str = "broken-long";
/// Streams with a late first token.
const LATE: &str = "late";
const STREAMS: u32 = 20;
/// Streams that fail when their first token is due.
const FAILING: &str = "failing";
const FAILURES: u32 = 10;

fn profile(n: &Numbers) -> Profile {
    let behind = |silence: Duration| Deployment::replicas(1, &format!("--silence-timeout {}ms", silence.as_millis()));
    // The mistake is that it does nothing with the first of these.
    let server = format!("--early-keep-alive {}ms --attempts 1", n.interval.as_millis());
    let arm = |arm: Arm| arm.flags(&server).deployed(&behind(n.silence));
    let load = |name, count| Load::new(name, Request::chat()).ttft(n.first_token).schedule(Schedule::at_once(count));
    let failing = load(FAILING, FAILURES).fault("error-event-after=0");
    let streams = |arm: &str, load, what| at(arm, LOADED).load(load).streams(what);
    let given_up = |count, arm: &str| {
        Claim::exactly(count, "given up by the balancer", at(arm, LOADED).deployment(DeploymentFigure::Silent))
    };
    let completed =
        |count, arm: &str| Claim::exactly(count, "streams completed", streams(arm, LATE, RequestFigure::Completed));
    let disconnected = MetricName::new("llm_outcomes_total").with("outcome", Outcome::Disconnected.as_str());
    let kept = |arm: &str| {
        let failed = |what| streams(arm, FAILING, what);
        vec![
            given_up(0, arm),
            completed(STREAMS, arm),
            Claim::exactly(FAILURES, "failures with status 200", failed(RequestFigure::Status(200))),
            Claim::exactly(FAILURES, "failures by an error event", failed(RequestFigure::Failure("error event"))),
        ]
    };
    let asked = |arm: &str| {
        let started = at(arm, LOADED).ledger(LedgerFigure::Started);
        Claim::exactly(STREAMS + FAILURES, "calls to the vendor", started).pressure()
    };
    Profile {
        vendor: flags("--tokens 5 --ttft 50ms --inter-token 20ms"),
        arms: vec![
            arm(Arm::broken()),
            arm(Arm::broken().named(LONGER)).deployed(&behind(n.first_token * 4)),
            arm(Arm::control()),
            arm(Arm::fixed()),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(300)),
            Phase::new(LOADED, "late token").adds(load(LATE, STREAMS)).adds(failing).until_done(n.first_token * 2),
        ],
        probes: vec![HEALTH_ASYNC],
        probe_rate: 10.0,
        drain: millis(0),
        claims: [
            vec![
                given_up(STREAMS + FAILURES, "broken"),
                completed(0, "broken"),
                Claim::exactly(
                    STREAMS + FAILURES,
                    "disconnects in the server's metrics",
                    at("broken", LOADED).metric(disconnected, MetricFigure::Increase),
                ),
                // So it is with comments too.
                given_up(0, LONGER).condition(),
                completed(STREAMS, LONGER).condition(),
                Claim::exactly(
                    FAILURES,
                    "failures with status 502",
                    streams(LONGER, FAILING, RequestFigure::Status(502)),
                ),
            ],
            kept("fixed"),
            kept("control").into_iter().map(Claim::control).collect(),
            ["broken", LONGER, "control", "fixed"].map(asked).to_vec(),
            vec![Claim::exactly(STREAMS + FAILURES, "calls at the vendor at once", peak("control")).pressure()],
        ]
        .concat(),
        ..Profile::default()
    }
}
