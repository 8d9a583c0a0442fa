//! A health check that measures another pool than the one that is full.

use std::time::Duration;

use super::full_pool;
use super::time::{millis, secs};
use crate::lab::{
    Arm, BASELINE, Claim, Figure, Group, HEALTH_SYNC, LOADED, Lab, Load, Phase, Probe, ProbeFigure, Profile,
    VendorFigure,
};

pub(super) static LAB: Lab = Lab {
    name: "wrong-canary",
    group: Group::Threads,
    mistake: "/health measures a pool of its own, which is never full",
    fix: "/health measures the pool that the requests use, with a time limit",
    mistake_file: "broken-server/src/mistakes/threads/wrong_canary.rs",
    fix_file: "fixed-server/src/api/health.rs",
    repair_file: "broken-server/src/api/health.rs",
    proves_not: "that an unhealthy answer should restart anything: it says what is full, not what to do",
    normal: Profile {
        vendor: &["--tokens", "40", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "wrong-canary", "--blocking-threads", "40"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "40"]),
            Arm::fixed(&[]),
            Arm::actix(RIGHT, &["--mistake", "pool-exhaustion", "--blocking-threads", "40"]).faulty(),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new(LOADED, "60 streams").adds(&[Load::of(60)], millis(300)).settle(millis(200)).hold(secs(5)),
            full_pool::phase().hold(secs(3)),
        ],
        probes: PROBES,
        probe_rate: 10.0,
        probe_timeout: secs(3),
        drain: millis(3200),
        repair_judged_as: RIGHT,
        claims: &claims(40.0),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "24", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "wrong-canary", "--blocking-threads", "8"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "8"]),
            Arm::fixed(&[]),
            Arm::actix(RIGHT, &["--mistake", "pool-exhaustion", "--blocking-threads", "8"]).faulty(),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "12 streams").adds(&[Load::of(12)], millis(100)).settle(millis(200)).hold(secs(2)),
            full_pool::phase().hold(millis(2500)),
        ],
        probes: PROBES,
        probe_rate: 10.0,
        probe_timeout: millis(1500),
        drain: millis(1700),
        repair_judged_as: RIGHT,
        claims: &claims(8.0),
        ..Profile::EMPTY
    },
};

/// broken-server with the same streams and a correct canary: repairing a canary does not empty the pool.
const RIGHT: &str = "fixed-canary";

const HEALTH: &str = "health";

const PROBES: &[Probe] = &[Probe { name: HEALTH, path: "/health", json_field: Some("/status") }, HEALTH_SYNC];

/// How long a correct canary waits before it says unhealthy.
const BOUND: Duration = secs(1);

const fn claims(pool: f64) -> [Claim; 12] {
    [
        Claim::at_least(80.0, "hangs while /health says healthy", HEALTHY_BROKEN),
        Claim::exactly(pool, "streams at the vendor: the pool size", peak("broken")),
        Claim::at_least(90.0, "hangs while /health says unhealthy", UNHEALTHY_RIGHT),
        Claim::at_most(1.5, "/health p99, time limit 1 s", in_bounds(RIGHT_HEALTH)),
        Claim::at_least(80.0, "/health says healthy when idle", says(RIGHT, BASELINE, "healthy")),
        Claim::at_least(80.0, "/health says healthy, correctly", says("fixed", LOADED, "healthy")),
        Claim::at_least(80.0, "/health says unhealthy, pool full", says("fixed", full_pool::NAME, "unhealthy")),
        Claim::at_most(1.5, "/health p99, pool full", in_bounds(FIXED_HEALTH)),
        Claim::exactly(pool, "streams at the vendor: the pool size", peak(RIGHT)),
        Claim::at_least(80.0, "/health says healthy when idle", says("broken", BASELINE, "healthy")).condition(),
        Claim::at_most(0.1, "health-sync p90", in_bounds(CONTROL_SYNC)).control(),
        Claim::at_least(80.0, "/health says healthy, correctly", says("control", LOADED, "healthy")).control(),
    ]
}

const RIGHT_HEALTH: &Figure = &Figure::p99(RIGHT, LOADED, HEALTH);
const FIXED_HEALTH: &Figure = &Figure::p99("fixed", full_pool::NAME, HEALTH);
const CONTROL_SYNC: &Figure = &Figure::p90("control", LOADED, "health_sync");
const HEALTHY_BROKEN: Figure = Figure::Both(&hangs("broken"), &says("broken", LOADED, "healthy"));
const UNHEALTHY_RIGHT: Figure = Figure::Both(&hangs(RIGHT), &says(RIGHT, LOADED, "unhealthy"));

const fn in_bounds(latency: &'static Figure) -> Figure {
    Figure::In { latency, unit: BOUND, name: "of its bound" }
}

const fn hangs(arm: &'static str) -> Figure {
    Figure::probe(arm, LOADED, "health_sync", ProbeFigure::TimedOutShare)
}

const fn says(arm: &'static str, phase: &'static str, word: &'static str) -> Figure {
    Figure::probe(arm, phase, HEALTH, ProbeFigure::FieldIs(word))
}

const fn peak(arm: &'static str) -> Figure {
    Figure::vendor(arm, LOADED, VendorFigure::PeakActive)
}
