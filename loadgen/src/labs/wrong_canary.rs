use std::time::Duration;

use super::{millis, secs};
use crate::lab::{
    Arm, BASELINE, Claim, Figure, Group, HEALTH_SYNC, LOADED, Lab, Load, Phase, Probe, ProbeFigure, Profile,
    StreamFigure, VendorFigure,
};
use crate::result::Quantile;

/// A health check that probes another pool than the one that is full.
pub(super) static LAB: Lab = Lab {
    name: "wrong-canary",
    group: Group::Threads,
    mistake: "/health times its work in a pool of its own, which is never full",
    fix: "/health probes the pool that the requests use, and bounds its own wait",
    mistake_file: "broken-server/src/mistakes/threads/wrong_canary.rs",
    fix_file: "fixed-server/src/api/health.rs",
    proves_not: "that a canary that says unhealthy should restart anything: it says what is full, not what to do",
    normal: Profile {
        vendor: &["--tokens", "40", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "wrong-canary", "--blocking-threads", "40"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "40"]),
            Arm::fixed(&[]),
            Arm::actix(RIGHT, &["--mistake", "pool-exhaustion", "--blocking-threads", "40"]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new(LOADED, "60 streams").adds(&[Load::of(60)], millis(300)).settle(millis(200)).hold(secs(5)),
        ],
        probes: PROBES,
        probe_rate: 10.0,
        probe_timeout: secs(3),
        patience: millis(3200),
        mended_plays: RIGHT,
        claims: &claims(40.0, 60.0),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "24", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "wrong-canary", "--blocking-threads", "8"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "8"]),
            Arm::fixed(&[]),
            Arm::actix(RIGHT, &["--mistake", "pool-exhaustion", "--blocking-threads", "8"]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "12 streams").adds(&[Load::of(12)], millis(100)).settle(millis(200)).hold(secs(2)),
        ],
        probes: PROBES,
        probe_rate: 10.0,
        probe_timeout: millis(1500),
        patience: millis(1700),
        mended_plays: RIGHT,
        claims: &claims(8.0, 12.0),
        ..Profile::EMPTY
    },
};

/// broken-server with the same streams and the right canary: mending a canary empties no pool.
const RIGHT: &str = "fixed-canary";

const HEALTH: &str = "health";

const PROBES: &[Probe] = &[Probe { name: HEALTH, path: "/health", says: Some("/status") }, HEALTH_SYNC];

/// How long a right canary waits before it says unhealthy.
const BOUND: Duration = secs(1);

const fn claims(pool: f64, streams: f64) -> [Claim; 16] {
    [
        Claim::at_least(90.0, "health-sync timed out, pool full", sync("broken", ProbeFigure::TimedOutShare)),
        Claim::exactly(0.0, "/health says unhealthy meanwhile", says("broken", "unhealthy")),
        Claim::at_least(80.0, "/health says healthy meanwhile", says("broken", "healthy")),
        Claim::at_least(90.0, "health-sync timed out, pool full", sync(RIGHT, ProbeFigure::TimedOutShare)),
        Claim::exactly(0.0, "/health says healthy meanwhile", says(RIGHT, "healthy")),
        Claim::at_least(90.0, "/health says unhealthy meanwhile", says(RIGHT, "unhealthy")),
        Claim::at_most(1.5, "/health p99, its bound being 1", in_bounds(RIGHT_HEALTH)),
        Claim::exactly(0.0, "health-sync timed out", sync("fixed", ProbeFigure::TimedOut)),
        Claim::at_least(80.0, "/health says healthy, and it is so", says("fixed", "healthy")),
        Claim::exactly(pool, "streams at the vendor: the pool is full", peak("broken")).pressure(),
        Claim::exactly(pool, "streams at the vendor: the pool is full", peak(RIGHT)).pressure(),
        Claim::exactly(streams, "streams at the vendor", peak("fixed")).pressure(),
        Claim::exactly(streams, "streams at the vendor", peak("control")).pressure(),
        Claim::exactly(0.0, "health-sync timed out", sync("control", ProbeFigure::TimedOut)).control(),
        Claim::at_least(80.0, "/health says healthy, and it is so", says("control", "healthy")).control(),
        Claim::exactly(0.0, "streams lost", Figure::all_streams("control", StreamFigure::Lost)).control(),
    ]
}

const RIGHT_HEALTH: &Figure = &Figure::probe(RIGHT, LOADED, HEALTH, ProbeFigure::Latency(Quantile::P99));

const fn in_bounds(latency: &'static Figure) -> Figure {
    Figure::In { latency, unit: BOUND, name: "of its bound" }
}

const fn sync(arm: &'static str, what: ProbeFigure) -> Figure {
    Figure::probe(arm, LOADED, "health_sync", what)
}

const fn says(arm: &'static str, word: &'static str) -> Figure {
    Figure::probe(arm, LOADED, HEALTH, ProbeFigure::Says(word))
}

const fn peak(arm: &'static str) -> Figure {
    Figure::vendor(arm, LOADED, VendorFigure::PeakActive)
}
