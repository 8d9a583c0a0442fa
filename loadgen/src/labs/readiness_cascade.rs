//! Readiness that depends on the vendor: its outage takes out every replica, and they stay out.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Action, Arm, BASELINE, ByHand, Claim, Deployment, DeploymentFigure, Group, HEALTH_ASYNC, LOADED, Lab, Load, Phase,
    ProbeFigure, Profile, RequestFigure, VendorFigure, at, flags,
};
use crate::traffic::Schedule;

pub(super) fn lab() -> Lab {
    Lab {
        name: "readiness-cascade",
        group: Group::Operations,
        mistake: "a replica is not ready when over half of its recent calls to the vendor failed: the vendor is the same \
                  for all, so all are out, and without requests they stay out",
        fix: "a replica is ready unless it is itself overloaded or shutting down",
        fix_file: "fixed-server/src/api/ready.rs",
        repair_file: "broken-server/src/api/operation.rs",
        proves_not: "that a replica should take requests whatever happens: what only it cannot do, such as reach its \
                     database when others can, is a reason to be out",
        by_hand: ByHand::NeedsItsLab(
            "It shows when the vendor fails and a balancer asks three replicas whether they are ready, as in its \
             lab.",
        ),
        normal: profile(&Numbers { calls: 30.0, fails: secs(2), down: secs(3), after: secs(4) }),
        fast: profile(&Numbers { calls: 30.0, fails: secs(2), down: secs(1), after: millis(2500) }),
    }
}

struct Numbers {
    /// Calls per second, to all replicas of an arm together.
    calls: f64,
    /// From the vendor's outage until all replicas are out.
    fails: Duration,
    /// How long the outage goes on then, and is measured.
    down: Duration,
    after: Duration,
}

/// The mistake with a window of time, as the sound form of an error rate: it does not stay out.
const TIMED: &str = "broken-timed";
/// The vendor is up again.
const AFTER: &str = "after";
const REPLICAS: u32 = 3;

fn profile(n: &Numbers) -> Profile {
    let replicas = Deployment::replicas(REPLICAS, "--period 200ms --timeout 1s --failure-threshold 1");
    // One attempt, so that each failure of the vendor is seen at once.
    let arm = |arm: Arm| arm.flags("--attempts 1").deployed(&replicas);
    let calls = |phase: Phase| phase.adds(Load::calls(1).schedule(Schedule::rate(n.calls)));
    let ready = |arm: &str, phase: &str, which| at(arm, phase).deployment(which);
    let least = |arm: &str, phase: &str| ready(arm, phase, DeploymentFigure::ReadyLeast);
    let cheap = |arm: &str, phase: &str| at(arm, phase).probe("health_async", ProbeFigure::AnsweredShare);
    let calls_of = |arm: &str| at(arm, AFTER).calls(RequestFigure::Completed);
    let called = n.calls * (n.fails + n.down).as_secs_f64();
    let all_in = |arm: &str| {
        vec![
            Claim::exactly(REPLICAS, "replicas ready, vendor down", least(arm, LOADED)),
            Claim::exactly(100, "cheap route answered, vendor down", cheap(arm, LOADED)),
            Claim::exactly(REPLICAS, "replicas ready, vendor back", least(arm, AFTER)),
            Claim::at_least(n.calls * n.after.as_secs_f64() * 0.8, "calls answered, vendor back", calls_of(arm)),
        ]
    };
    Profile {
        vendor: flags("--tokens 5 --ttft 10ms --inter-token 1ms"),
        arms: vec![
            arm(Arm::broken()),
            arm(Arm::broken().named(TIMED).mistake_flags("--error-window 2s")),
            arm(Arm::control()),
            arm(Arm::fixed()),
        ],
        phases: vec![
            calls(Phase::new(BASELINE, "vendor up").hold(secs(1))),
            calls(Phase::new(LOADED, "vendor down").action(Action::faults(&["status=503"])))
                .settle(n.fails)
                .hold(n.down),
            calls(Phase::new(AFTER, "vendor back").action(Action::faults(&[]))).settle(millis(300)).hold(n.after),
        ],
        probes: vec![HEALTH_ASYNC],
        claims: [
            vec![
                Claim::exactly(0, "fewest replicas ready, vendor down", least("broken", LOADED)),
                Claim::exactly(0, "cheap route answered, vendor down", cheap("broken", LOADED)),
                Claim::exactly(
                    0,
                    "most replicas ready, vendor back",
                    ready("broken", AFTER, DeploymentFigure::ReadyMost),
                ),
                Claim::exactly(0, "cheap route answered, vendor back", cheap("broken", AFTER)),
                Claim::exactly(0, "fewest replicas ready, vendor down", least(TIMED, LOADED)),
                Claim::exactly(
                    REPLICAS,
                    "most replicas ready, vendor back",
                    ready(TIMED, AFTER, DeploymentFigure::ReadyMost),
                )
                .condition(),
            ],
            all_in("fixed"),
            all_in("control").into_iter().map(Claim::control).collect(),
            vec![
                Claim::at_least(
                    called * 0.8,
                    "calls failed by the vendor",
                    at("control", LOADED).vendor(VendorFigure::Failed),
                )
                .pressure(),
            ],
        ]
        .concat(),
        ..Profile::default()
    }
}
