//! A health check that measures another pool than the one that is full.

use std::time::Duration;

use super::common::{millis, peak, pool_size, secs};
use super::full_pool;
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Figure, Group, HEALTH_SYNC, LOADED, Lab, Load, Phase, Probe, ProbeFigure, Profile,
    at, flags,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "wrong-canary",
        group: Group::Threads,
        mistake: "/health measures a pool of its own, which is never full",
        fix: "/health measures the pool that the requests use, with a time limit",
        fix_file: "fixed-server/src/api/health.rs",
        repair_file: "broken-server/src/api/health.rs",
        proves_not: "that an unhealthy answer should restart anything: it says what is full, not what to do",
        by_hand: ByHand::NeedsItsLab(
            "Its lab asks /health, which says healthy all the time. Here you see only what it hides: set 45 \
             streams, and the health check on the pool hangs.",
        ),
        normal: profile(&Numbers { tokens: 40, pool: 40, loaded: 60, hold: secs(4), probe_timeout: secs(3) }),
        fast: profile(&Numbers { tokens: 24, pool: 8, loaded: 12, hold: secs(2), probe_timeout: millis(1500) }),
    }
}

struct Numbers {
    tokens: u32,
    pool: u32,
    loaded: u32,
    hold: Duration,
    probe_timeout: Duration,
}

/// broken-server with the same streams and a correct canary: repairing a canary does not empty the pool.
const RIGHT: &str = "fixed-canary";
const HEALTH: &str = "health";
/// How long a correct canary waits before it says unhealthy.
const BOUND: Duration = secs(1);

fn profile(n: &Numbers) -> Profile {
    let pool = format!("--blocking-threads {}", n.pool);
    let says = |arm, phase, word| at(arm, phase).probe(HEALTH, ProbeFigure::FieldIs(word));
    let mostly = |name: &str, share: Figure| Claim::at_least(80.0, name, share);
    let hangs = |arm| at(arm, LOADED).probe("health_sync", ProbeFigure::TimedOutShare);
    let bounds = |latency: Figure| latency.in_units_of(BOUND, "of its bound");
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![
            Arm::broken().flags(&pool),
            Arm::control().flags(&pool),
            Arm::fixed(),
            Arm::fixed().named(RIGHT).running("pool-exhaustion").flags(&pool).faulty(),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(700)),
            Phase::new(LOADED, format!("{} streams", n.loaded))
                .adds(Load::streams(n.loaded).over(millis(200)))
                .settle(millis(200))
                .hold(n.hold),
            full_pool::phase().hold(millis(2500)),
        ],
        probes: vec![Probe { json_field: Some("/status"), ..Probe::new(HEALTH, "/health") }, HEALTH_SYNC],
        probe_rate: 10.0,
        probe_timeout: n.probe_timeout,
        drain: n.probe_timeout + millis(200),
        repair_judged_as: RIGHT,
        claims: vec![
            mostly("hangs while /health says healthy", hangs("broken").both(says("broken", LOADED, "healthy"))),
            pool_size(n.pool, "broken"),
            Claim::at_least(
                90.0,
                "hangs while /health says unhealthy",
                hangs(RIGHT).both(says(RIGHT, LOADED, "unhealthy")),
            ),
            Claim::at_most(1.5, "/health p99, time limit 1 s", bounds(at(RIGHT, LOADED).p99(HEALTH))),
            mostly("/health says healthy when idle", says(RIGHT, BASELINE, "healthy")),
            mostly("/health says healthy, correctly", says("fixed", LOADED, "healthy")),
            mostly("/health says unhealthy, pool full", says("fixed", full_pool::NAME, "unhealthy")),
            Claim::at_most(1.5, "/health p99, pool full", bounds(at("fixed", full_pool::NAME).p99(HEALTH))),
            Claim::exactly(n.pool, "streams at the vendor: the pool size", peak(RIGHT)),
            mostly("/health says healthy when idle", says("broken", BASELINE, "healthy")).condition(),
            Claim::at_most(0.1, "health-sync p90", bounds(at("control", LOADED).p90("health_sync"))).control(),
            mostly("/health says healthy, correctly", says("control", LOADED, "healthy")).control(),
        ],
        ..Profile::default()
    }
}
