//! The pool is enlarged, and enlarged again.

use std::time::Duration;

use super::common::{millis, pool_size, secs};
use super::whole_calls;
use crate::lab::{Arm, BASELINE, ByHand, Claim, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile, at, flags};

pub(super) fn lab() -> Lab {
    Lab {
        name: "more-threads",
        group: Group::Threads,
        mistake: "the pool is enlarged from 40 to 160 to 512 threads: the server still hangs, at a higher number of \
                  streams",
        fix: "an async client: no hang at any of these numbers",
        fix_file: "fixed-server/src/upstream/events.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that a larger pool is never right: short work may need more threads. Work that waits needs as \
                     many threads as there are streams (Little's law)",
        by_hand: ByHand::Shows(
            "Set 165 streams. This pool has 160 threads: from the 160th stream on, the health check on it hangs.",
        ),
        // One token per second: many streams, little work.
        normal: profile(&Numbers {
            vendor: "--tokens 20 --ttft 250ms --inter-token 1s",
            pools: [40, 160, 512],
            loaded: 540,
            ramps: [millis(400), secs(1), secs(2)],
            settle: millis(500),
            hold: millis(1500),
        }),
        fast: profile(&Numbers {
            vendor: "--tokens 30 --ttft 250ms --inter-token 250ms",
            pools: [4, 8, 24],
            loaded: 32,
            ramps: [millis(0), millis(0), millis(100)],
            settle: millis(250),
            hold: millis(500),
        }),
    }
}

struct Numbers {
    vendor: &'static str,
    pools: [u32; 3],
    /// More streams than the largest pool has threads.
    loaded: u32,
    /// Time over which the streams up to one below each pool's size start.
    ramps: [Duration; 3],
    settle: Duration,
    hold: Duration,
}

/// A health check this fast counts as unaffected.
const FLAT_MS: f64 = 100.0;

/// Before the last phase, each has one stream fewer than a pool has threads, or exactly as many.
fn profile(n: &Numbers) -> Profile {
    let pool_arm = |pool: u32| {
        let arm = Arm::broken().flags(format!("--blocking-threads {pool}"));
        if pool == n.pools[0] { arm } else { arm.named(format!("broken-{pool}")) }
    };
    let mut phases = vec![Phase::new(BASELINE, "idle").hold(n.hold)];
    let mut claims = Vec::new();
    let mut conditions = Vec::new();
    let mut open = 0;
    let mut step = |name: String, streams: u32, ramp| {
        let more = Load::streams(streams - open).over(ramp);
        open = streams;
        Phase::new(name, format!("{streams} streams")).adds(more).settle(n.settle).hold(n.hold)
    };
    for ((index, pool), ramp) in (1..).zip(n.pools).zip(n.ramps) {
        let (below, at_size, arm) = (format!("below-{index}"), format!("at-{index}"), pool_arm(pool).name);
        let sync = |phase: &str, what| at(&arm, phase).probe("health_sync", what);
        claims.push(Claim::at_least(
            90.0,
            "health-sync timed out, at pool size",
            sync(&at_size, ProbeFigure::TimedOutShare),
        ));
        claims.push(pool_size(pool, &arm));
        let timed_out = sync(&below, ProbeFigure::TimedOut);
        conditions.push(Claim::exactly(0, "health-sync timed out, below pool size", timed_out).condition());
        phases.extend([step(below, pool - 1, ramp), step(at_size, pool, millis(0))]);
    }
    phases.extend([step(LOADED.to_owned(), n.loaded, millis(100)), whole_calls::phase()]);
    let health = |arm| Claim::at_most(FLAT_MS, "health-sync p90", at(arm, LOADED).p90("health_sync"));
    claims.extend([health("fixed"), whole_calls::answered(), whole_calls::health_flat()]);
    claims.extend(conditions);
    claims.push(health("control").control());
    Profile {
        vendor: flags(n.vendor),
        arms: n
            .pools
            .map(pool_arm)
            .into_iter()
            .chain([Arm::control().flags(format!("--blocking-threads {}", n.pools[0])), Arm::fixed()])
            .collect(),
        phases,
        probe_timeout: secs(1),
        drain: millis(1200),
        claims,
        ..Profile::default()
    }
}
