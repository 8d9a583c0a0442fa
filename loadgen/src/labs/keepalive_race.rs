//! The server closes idle connections sooner than the balancer in front of it, which sends requests on them.

use std::time::Duration;

use process::Signal;

use super::common::millis;
use crate::lab::{
    Action, Arm, BASELINE, ByHand, Claim, Deployment, DeploymentFigure, Group, LOADED, Lab, LedgerFigure, Load,
    MetricFigure, Phase, Profile, RequestFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::Schedule;

pub(super) fn lab() -> Lab {
    Lab {
        name: "keepalive-race",
        group: Group::Operations,
        mistake: "the server closes connections that are idle for 5 s, its framework's default, and the balancer in front \
                  of it uses them again for 60 s: a request that comes when the time is up is lost",
        fix: "connections are kept for longer than by the balancer, so that only the side that sends requests closes them",
        fix_file: "fixed-server/src/net/accept.rs",
        repair_file: "broken-server/src/settings.rs",
        proves_not: "how often it happens to you: here the server stands still for a quarter of a second at each burst, as \
                     under a CPU limit, so that requests and closes surely meet. Without that it is one request in hundreds, \
                     at the wrong moment",
        by_hand: ByHand::NeedsItsLab("It shows behind a balancer that reuses its connections, as in its lab."),
        normal: profile(&Numbers { bursts: 10 }),
        fast: profile(&Numbers { bursts: 5 }),
    }
}

struct Numbers {
    bursts: u32,
}

/// Calls of a burst, each on a connection of its own.
const CALLS: u32 = 20;
/// How long the server stands still, from shortly before each burst.
const PAUSE: Duration = millis(250);
/// From one burst to the next. actix reads its clock twice a second, so its connections end together, at the half
/// seconds of that clock. In three bursts the pauses cover all of a half second, and meet such a moment at least once.
const EVERY: Duration = millis(1170);
/// After a time without requests that is longer than the server's and shorter than the balancer's.
const AFTER: &str = "after";

fn profile(n: &Numbers) -> Profile {
    // A fifth of the usual times: 5 s and 60 s.
    let behind = Deployment::replicas(1, "--idle-timeout 12s");
    let calls = CALLS * n.bursts;
    let bursts = Schedule::Bursts { bursts: n.bursts, each: CALLS, over: millis(40), every: EVERY };
    let loaded = Phase::new(LOADED, "bursts").adds(Load::calls(1).schedule(bursts)).hold(millis(2000));
    let paused = (0..n.bursts).fold(loaded, |phase, burst| {
        let begins = (EVERY * burst).saturating_sub(millis(20));
        phase.action(Action::signal(Signal::Stop).at(begins)).action(Action::signal(Signal::Cont).at(begins + PAUSE))
    });
    let balancer = |arm: &str, phase, what| at(arm, phase).deployment(what);
    let lost = |arm: &str| balancer(arm, LOADED, DeploymentFigure::BadGateway);
    let opened = |arm: &str, phase| balancer(arm, phase, DeploymentFigure::Connections);
    let metric = |name: &str| at("broken", LOADED).metric(MetricName::new(name), MetricFigure::Increase);
    let kept = |arm: &str| {
        vec![
            Claim::exactly(0, "502s of the balancer", lost(arm)),
            Claim::exactly(calls, "calls answered", at(arm, LOADED).calls(RequestFigure::Completed)),
            Claim::at_most(CALLS * 3 / 2, "connections opened for all bursts", opened(arm, LOADED)),
            Claim::exactly(0, "connections opened after a pause", opened(arm, AFTER)),
        ]
    };
    Profile {
        vendor: flags("--tokens 1 --ttft 200ms"),
        arms: vec![
            Arm::broken().mistake_flags("--keep-alive-timeout 1s").deployed(&behind),
            Arm::control().deployed(&behind),
            Arm::fixed().deployed(&behind),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(200)),
            paused,
            Phase::new(AFTER, "after a pause").adds(Load::calls(CALLS)).until_done(millis(2000)),
        ],
        // They would use the connections too, and wait while the server stands still.
        probes: Vec::new(),
        drain: millis(0),
        claims: [
            vec![
                Claim::at_least(CALLS / 2 * (n.bursts / 5), "502s of the balancer", lost("broken")),
                Claim::at_most(calls - 1, "calls in the server's own metrics", metric("llm_calls_total")),
                Claim::exactly(0, "failures in the server's own metrics", metric("llm_errors_total")).condition(),
                Claim::at_least(CALLS * 2, "connections opened for all bursts", opened("broken", LOADED)),
                Claim::at_least(CALLS / 2, "connections opened after a pause", opened("broken", AFTER)),
            ],
            kept("fixed"),
            kept("control").into_iter().map(Claim::control).collect(),
            vec![
                Claim::exactly(calls, "calls to the vendor", at("control", LOADED).ledger(LedgerFigure::Started))
                    .pressure(),
            ],
        ]
        .concat(),
        ..Profile::default()
    }
}
