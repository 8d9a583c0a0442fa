//! A liveness probe that needs a pool thread: a full pool becomes a restart, and the restart cuts the streams.

use std::time::Duration;

use process::{BackOffRules, Rules};

use super::common::{flat, millis, peak, pool_size, secs};
use super::full_pool;
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Deployment, DeploymentFigure, Group, HEALTH_ASYNC, LOADED, Lab, Load, Phase, Profile,
    RequestFigure, at, flags,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "liveness-cascade",
        group: Group::Operations,
        mistake: "the liveness probe waits for a thread of the pool: when streams hold them all, the supervisor restarts \
                  the server, and every stream is cut",
        fix: "the liveness probe touches nothing that requests use",
        fix_file: "fixed-server/src/api/live.rs",
        repair_file: "broken-server/src/api/operation.rs",
        proves_not: "that a server with a full pool is well: new streams wait there. But a restart cuts those that flow, \
                     and their clients fill the pool again",
        by_hand: ByHand::NeedsItsLab(
            "Its lab has a supervisor, which restarts the server when /live hangs. Here you see only the full pool: \
             set 45 streams, and the health check on it hangs.",
        ),
        normal: profile(&Numbers {
            pool: 40,
            ramp: millis(500),
            tokens: 26,
            period: secs(1),
            grace: secs(1),
            back_off: secs(1),
        }),
        fast: profile(&Numbers {
            pool: 8,
            ramp: millis(100),
            tokens: 13,
            period: millis(300),
            grace: millis(600),
            back_off: millis(300),
        }),
    }
}

struct Numbers {
    /// Threads, and streams.
    pool: u32,
    ramp: Duration,
    tokens: u32,
    /// Of the liveness probe, which may take as long. Three failures in a row are too many.
    period: Duration,
    grace: Duration,
    back_off: Duration,
}

/// broken-server with the same full pool and a right liveness probe: repairing a probe does not empty the pool.
const RIGHT: &str = "fixed-probe";
/// The same streams once more, as of clients that come back.
const AGAIN: &str = "again";

fn profile(n: &Numbers) -> Profile {
    let supervised = Deployment::supervised(
        "/live",
        Rules {
            period: n.period,
            timeout: n.period,
            failure_threshold: 3,
            grace: n.grace,
            back_off: BackOffRules { first: n.back_off, ..BackOffRules::default() },
            ..Rules::default()
        },
    );
    // Shorter than the supervisor's: streams that are still open end with an error event.
    let server = format!("--shutdown-grace {}ms", n.grace.as_millis() / 2);
    let pool = format!("--blocking-threads {}", n.pool);
    let arm = |arm: Arm| arm.flags(&server).deployed(&supervised);
    let lasts = millis(250) * n.tokens;
    let streams = |name: &str, title: String| {
        Phase::new(name, title).adds(Load::streams(n.pool).over(n.ramp)).settle(millis(200)).hold(lasts)
    };
    let restarts = |arm: &str, phase: &str| at(arm, phase).deployment(DeploymentFigure::LivenessRestarts);
    let lost = |arm: &str, phase: &str| at(arm, phase).streams(RequestFigure::Lost);
    let claims_on = |phase: &str| {
        vec![
            Claim::at_least(1, format!("restarts, {phase}"), restarts("broken", phase)),
            Claim::exactly(n.pool, format!("streams lost, {phase}: all"), lost("broken", phase)),
            Claim::exactly(0, format!("restarts, {phase}"), restarts(RIGHT, phase)),
            Claim::exactly(0, format!("streams lost, {phase}"), lost(RIGHT, phase)),
            Claim::exactly(0, format!("restarts, {phase}"), restarts("fixed", phase)),
            Claim::exactly(0, format!("restarts, {phase}"), restarts("control", phase)).control(),
        ]
    };
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![
            arm(Arm::broken().flags(&pool)),
            arm(Arm::control().flags(&pool)),
            arm(Arm::fixed()),
            arm(Arm::fixed().named(RIGHT).running("pool-exhaustion").flags(&pool).faulty()),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(500)),
            streams(LOADED, format!("{} streams", n.pool)),
            streams(AGAIN, "once more".to_owned()),
            // Otherwise nothing would hold the threads that fixed-server has.
            full_pool::phase().hold(n.period * 5),
        ],
        probes: vec![HEALTH_ASYNC],
        // No probe waits for what the last streams hold.
        drain: millis(500),
        repair_judged_as: RIGHT,
        claims: [
            claims_on(LOADED),
            claims_on(AGAIN),
            vec![
                pool_size(n.pool, RIGHT),
                Claim::exactly(0, "restarts, pool full", restarts("fixed", full_pool::NAME)),
                flat("health-async p50: the server works", at("broken", LOADED).p50("health_async")).condition(),
                Claim::exactly(n.pool, "streams at the vendor: the pool size", peak("broken")).pressure(),
            ],
        ]
        .concat(),
        ..Profile::default()
    }
}
