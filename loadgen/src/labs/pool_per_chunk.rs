//! A pool thread waits for each chunk.

use std::time::Duration;

use super::common::{FLAT, GAP, flat, gaps, millis, peak, pool_size, secs};
use super::whole_calls;
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile, RequestFigure, at, flags,
    whole_run,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "pool-per-chunk",
        group: Group::Threads,
        mistake: "a pool thread waits for each chunk: what Starlette does with a generator that is not async",
        fix: "an async client: no thread waits for a chunk",
        fix_file: "fixed-server/src/upstream/events.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that a late health check always has this cause (a busy processor delays it too, but then the \
                     processor is busy), or how late it is at another load (about gap x (1 - threads / streams) \
                     where tokens are spread, more where they come together)",
        by_hand: ByHand::Shows(
            "Set 80 streams. The health check on the pool is late by about half of the time between two tokens, and is \
             still answered.",
        ),
        normal: profile(&Numbers { tokens: 40, pool: 40, below: (12, secs(3)), loaded: secs(8), settle: millis(850) }),
        fast: profile(&Numbers { tokens: 14, pool: 8, below: (5, secs(1)), loaded: secs(2), settle: millis(550) }),
    }
}

struct Numbers {
    tokens: u32,
    pool: u32,
    /// Tokens of the streams of the phase below the pool's size, and its duration.
    below: (u32, Duration),
    /// Duration of the phase with twice as many streams as threads.
    loaded: Duration,
    settle: Duration,
}

/// Twice as many streams as threads, opened over one token gap, so that their tokens are spread evenly.
fn profile(n: &Numbers) -> Profile {
    let pool = format!("--blocking-threads {}", n.pool);
    let (few, streams) = (n.pool - 1, 2 * n.pool);
    let (below_tokens, below_hold) = n.below;
    let below = Load::streams(few).tokens(below_tokens).over(GAP);
    let median = |arm, phase| at(arm, phase).p50("health_sync");
    let loaded = |arm| at(arm, LOADED);
    let lost = whole_run("broken").streams(RequestFigure::Lost);
    let timed_out = loaded("broken").probe("health_sync", ProbeFigure::TimedOut);
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![
            Arm::broken().flags(&pool),
            Arm::broken().named("broken-held").running("pool-exhaustion").flags(&pool),
            Arm::control().flags(&pool),
            Arm::fixed(),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(700)),
            Phase::new("below", format!("{few} streams")).adds(below).settle(n.settle - millis(300)).hold(below_hold),
            Phase::new(LOADED, format!("{streams} streams"))
                .adds(Load::streams(streams).over(GAP))
                .settle(n.settle)
                .hold(n.loaded),
            whole_calls::phase(),
        ],
        probe_timeout: secs(2),
        claims: vec![
            Claim::at_least(FLAT, "health-sync p99", gaps(loaded("broken").p99("health_sync"))),
            Claim::apart(
                5.0,
                "health-sync p50, loaded over below",
                median("broken", LOADED),
                median("broken", "below"),
            ),
            Claim::at_least(3.0, "held for the stream: health-sync p50", gaps(median("broken-held", LOADED))),
            pool_size(n.pool, "broken-held"),
            flat("health-sync p90", loaded("fixed").p90("health_sync")),
            whole_calls::answered(),
            whole_calls::health_flat(),
            // What distinguishes it from pool-exhaustion: health checks are late, but they are answered.
            Claim::at_most(2.0, "health-sync p99", gaps(loaded("broken").p99("health_sync"))).condition(),
            Claim::exactly(0, "health-sync timed out", timed_out).condition(),
            Claim::exactly(streams, "streams at the vendor: all", peak("broken")).condition(),
            Claim::exactly(0, "streams lost", lost).condition(),
            flat("health-sync p90", loaded("control").p90("health_sync")).control(),
        ],
        ..Profile::default()
    }
}
