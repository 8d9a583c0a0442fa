//! Name look-ups and file reads need a thread of the pool that the streams have filled.

use std::time::Duration;

use super::common::{flat, millis, pool_size, secs};
use super::full_pool;
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, HEALTH_SYNC, LOADED, Lab, Load, Phase, Probe, ProbeFigure,
    Profile, at, flags,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "hidden-pool-users",
        group: Group::Threads,
        mistake: "\"our handlers are async\", but name look-ups and file reads need the pool whose threads the \
                  streams hold",
        fix: "nothing holds that pool for long, and results of look-ups and file reads are cached for a short time",
        fix_file: "fixed-server/src/api/look_ups.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that every resolver or file API does this: getaddrinfo does, and so do files in tokio and Node, \
                     and libraries use them without saying so",
        by_hand: ByHand::NeedsItsLab(
            "Its lab asks for a name and a file, which hang when the streams hold the pool. Here you see only the \
             full pool: set 45 streams, and the health check on it hangs.",
        ),
        normal: profile(&Numbers { tokens: 48, pool: 40, loaded: 60, hold: secs(2), probe_rate: 10.0 }),
        fast: profile(&Numbers { tokens: 24, pool: 8, loaded: 12, hold: millis(700), probe_rate: 20.0 }),
    }
}

struct Numbers {
    tokens: u32,
    /// Threads of the pool.
    pool: u32,
    loaded: u32,
    hold: Duration,
    probe_rate: f64,
}

const RESOLVE: &str = "resolve";
const READ_FILE: &str = "read_file";

fn profile(n: &Numbers) -> Profile {
    let pool = format!("--blocking-threads {}", n.pool);
    let below = n.pool - 1;
    let step = |name, streams: u32, before: u32| {
        let more = Load::streams(streams - before).over(millis(200));
        Phase::new(name, format!("{streams} streams")).adds(more).settle(millis(200))
    };
    let timed_out_share = |probe| at("broken", LOADED).probe(probe, ProbeFigure::TimedOutShare);
    let timed_out_below = |probe| at("broken", "below").probe(probe, ProbeFigure::TimedOut);
    // The median: a cached result may expire during the phase.
    let full = |probe| at("fixed", full_pool::NAME).p50(probe);
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![Arm::broken().flags(&pool), Arm::control().flags(&pool), Arm::fixed()],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.hold),
            step("below", below, 0).hold(n.hold),
            step(LOADED, n.loaded, below).hold(n.hold * 3 / 2),
            full_pool::phase().hold(n.hold + secs(2)),
        ],
        probes: vec![
            Probe::new(RESOLVE, "/debug/resolve"),
            Probe::new(READ_FILE, "/debug/read-file"),
            HEALTH_ASYNC,
            HEALTH_SYNC,
        ],
        probe_rate: n.probe_rate,
        probe_timeout: millis(1500),
        claims: vec![
            Claim::at_least(90.0, "look-ups timed out, pool full", timed_out_share(RESOLVE)),
            Claim::at_least(90.0, "file reads timed out, pool full", timed_out_share(READ_FILE)),
            pool_size(n.pool, "broken"),
            flat("look-up p90", at("fixed", LOADED).p90(RESOLVE)),
            flat("file read p90", at("fixed", LOADED).p90(READ_FILE)),
            flat("look-up p50, its pool full", full(RESOLVE)),
            flat("file read p50, its pool full", full(READ_FILE)),
            Claim::exactly(0, "look-ups timed out, below pool size", timed_out_below(RESOLVE)).condition(),
            Claim::exactly(0, "file reads timed out, below pool size", timed_out_below(READ_FILE)).condition(),
            flat("health-async p90", at("broken", LOADED).p90("health_async")).condition(),
            flat("look-up p90", at("control", LOADED).p90(RESOLVE)).control(),
            flat("file read p90", at("control", LOADED).p90(READ_FILE)).control(),
        ],
        ..Profile::default()
    }
}
