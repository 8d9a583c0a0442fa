//! Name look-ups and file reads need a thread of the pool that the streams have filled.

use std::time::Duration;

use super::full_pool;
use super::time::{millis, secs};
use crate::lab::{
    Arm, BASELINE, Claim, Figure, Group, HEALTH_ASYNC, HEALTH_SYNC, LOADED, Lab, Load, Phase, Probe, ProbeFigure,
    Profile, VendorFigure,
};
use crate::result::Quantile;

pub(super) static LAB: Lab = Lab {
    name: "hidden-pool-users",
    group: Group::Threads,
    mistake: "\"our handlers are async\", but name look-ups and file reads need the pool whose threads the streams hold",
    fix: "nothing holds that pool for long, and results of look-ups and file reads are cached for a short time",
    mistake_file: "broken-server/src/mistakes/threads/hidden_pool_users.rs",
    fix_file: "fixed-server/src/api/look_ups.rs",
    repair_file: "broken-server/src/call_style/once.rs",
    proves_not: "that every resolver or file API does this: getaddrinfo does, and so do files in tokio and Node, and \
                 libraries use them without saying so",
    normal: Profile {
        vendor: &["--tokens", "48", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "hidden-pool-users", "--blocking-threads", "40"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "40"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new("below", "39 streams").adds(&[Load::of(39)], millis(300)).settle(millis(200)).hold(secs(2)),
            Phase::new(LOADED, "60 streams").adds(&[Load::of(21)], millis(300)).settle(millis(200)).hold(secs(4)),
            full_pool::phase().hold(secs(4)),
        ],
        probes: PROBES,
        probe_rate: 10.0,
        probe_timeout: secs(2),
        claims: &claims(40.0),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "24", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "hidden-pool-users", "--blocking-threads", "8"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "8"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new("below", "7 streams").adds(&[Load::of(7)], millis(100)).settle(millis(100)).hold(millis(700)),
            Phase::new(LOADED, "12 streams").adds(&[Load::of(5)], millis(100)).settle(millis(100)).hold(secs(1)),
            full_pool::phase().hold(millis(2500)),
        ],
        probes: PROBES,
        probe_timeout: millis(1500),
        claims: &claims(8.0),
        ..Profile::EMPTY
    },
};

const RESOLVE: &str = "resolve";
const READ_FILE: &str = "read_file";

const PROBES: &[Probe] = &[
    Probe { name: RESOLVE, path: "/debug/resolve", json_field: None },
    Probe { name: READ_FILE, path: "/debug/read-file", json_field: None },
    HEALTH_ASYNC,
    HEALTH_SYNC,
];

/// The time between two tokens, in both profiles.
const GAP: Duration = millis(250);
/// A response this fast counts as unaffected, in token gaps.
const FLAT: f64 = 0.4;

/// `pool` is the number of threads of the pool.
const fn claims(pool: f64) -> [Claim; 12] {
    [
        Claim::at_least(90.0, "look-ups timed out, pool full", timed_out_share(RESOLVE)),
        Claim::at_least(90.0, "file reads timed out, pool full", timed_out_share(READ_FILE)),
        Claim::exactly(pool, "streams at the vendor: the pool size", peak("broken")),
        Claim::at_most(FLAT, "look-up p90", Figure::gaps(RESOLVE_FIXED, GAP)),
        Claim::at_most(FLAT, "file read p90", Figure::gaps(READ_FILE_FIXED, GAP)),
        // The median: a cached result may expire during the phase.
        Claim::at_most(FLAT, "look-up p50, its pool full", Figure::gaps(RESOLVE_FULL, GAP)),
        Claim::at_most(FLAT, "file read p50, its pool full", Figure::gaps(READ_FILE_FULL, GAP)),
        Claim::exactly(0.0, "look-ups timed out, below pool size", timed_out("broken", "below", RESOLVE)).condition(),
        Claim::exactly(0.0, "file reads timed out, below pool size", timed_out("broken", "below", READ_FILE))
            .condition(),
        Claim::at_most(FLAT, "health-async p90", Figure::gaps(ASYNC, GAP)).condition(),
        Claim::at_most(FLAT, "look-up p90", Figure::gaps(RESOLVE_CONTROL, GAP)).control(),
        Claim::at_most(FLAT, "file read p90", Figure::gaps(READ_FILE_CONTROL, GAP)).control(),
    ]
}

const ASYNC: &Figure = &Figure::p90("broken", LOADED, "health_async");
const RESOLVE_FIXED: &Figure = &Figure::p90("fixed", LOADED, RESOLVE);
const READ_FILE_FIXED: &Figure = &Figure::p90("fixed", LOADED, READ_FILE);
const RESOLVE_CONTROL: &Figure = &Figure::p90("control", LOADED, RESOLVE);
const READ_FILE_CONTROL: &Figure = &Figure::p90("control", LOADED, READ_FILE);
const RESOLVE_FULL: &Figure = &median_full(RESOLVE);
const READ_FILE_FULL: &Figure = &median_full(READ_FILE);

const fn median_full(probe: &'static str) -> Figure {
    Figure::probe("fixed", full_pool::NAME, probe, ProbeFigure::Latency(Quantile::P50))
}

const fn timed_out(arm: &'static str, phase: &'static str, probe: &'static str) -> Figure {
    Figure::probe(arm, phase, probe, ProbeFigure::TimedOut)
}

const fn timed_out_share(probe: &'static str) -> Figure {
    Figure::probe("broken", LOADED, probe, ProbeFigure::TimedOutShare)
}

const fn peak(arm: &'static str) -> Figure {
    Figure::vendor(arm, LOADED, VendorFigure::PeakActive)
}
