//! A blocking client keeps a pool thread for the whole stream.

use std::time::Duration;

use super::common::{flat, idle_cpu, millis, pool_size, secs};
use super::whole_calls;
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile, VendorFigure, at, flags,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "pool-exhaustion",
        group: Group::Threads,
        mistake: "a blocking HTTP client keeps a pool thread for the whole stream",
        fix: "an async client: no thread waits for a token",
        fix_file: "fixed-server/src/upstream/events.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that 40 is a bad pool size (every size has its limit), or that fixed-server has no limit \
                     (descriptors, memory and --max-in-flight are limits too)",
        by_hand: ByHand::Shows(
            "Set 45 streams. From the 40th on, the health check on the pool hangs, and the one on the event loop \
             stays fast.",
        ),
        normal: profile(&Numbers {
            tokens: 60,
            pool: 40,
            loaded: 60,
            ramp: millis(300),
            hold: secs(2),
            // One token per second: many streams with little work.
            many: Load::streams(1000).tokens(7).inter_token(secs(1)).over(secs(3)),
            probe_timeout: secs(3),
            drain: secs(4),
            apart: 20.0,
        }),
        fast: profile(&Numbers {
            tokens: 24,
            pool: 16,
            loaded: 24,
            ramp: millis(100),
            hold: millis(600),
            many: Load::streams(60).tokens(10).over(millis(500)),
            probe_timeout: secs(1),
            drain: secs(2),
            apart: 5.0,
        }),
    }
}

struct Numbers {
    tokens: u32,
    /// Threads of the larger pool; the smaller has 8.
    pool: u32,
    /// Streams of the last phase that all arms have.
    loaded: u32,
    ramp: Duration,
    hold: Duration,
    /// Additional streams for fixed-server.
    many: Load,
    probe_timeout: Duration,
    drain: Duration,
    /// Minimum ratio between latencies.
    apart: f64,
}

/// Two pools, each with one stream fewer than it has threads and with as many. All streams start before the first one
/// ends, so a full pool stays full.
fn profile(n: &Numbers) -> Profile {
    let (pool, pool_8) = (format!("--blocking-threads {}", n.pool), "--blocking-threads 8");
    let step = |name, streams: u32, before: u32| {
        let more = Load::streams(streams - before).over(n.ramp);
        Phase::new(name, format!("{streams} streams")).adds(more).hold(n.hold)
    };
    let sync = |arm, phase| at(arm, phase).p90("health_sync");
    let knee = |arm, at_size, below| {
        let median = |phase| at(arm, phase).p50("health_sync");
        Claim::apart(n.apart, "health-sync p50, at size over below", median(at_size), median(below))
    };
    let many_at_vendor = at("fixed", "scale").vendor(VendorFigure::ActiveThroughout);
    let below_timed_out = at("broken", "below").probe("health_sync", ProbeFigure::TimedOut);
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![
            Arm::broken().flags(&pool),
            Arm::broken().named("broken-8").flags(pool_8),
            Arm::control().flags(pool_8),
            Arm::fixed(),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.hold),
            step("below-8", 7, 0),
            step("at-8", 8, 7),
            step("below", n.pool - 1, 8),
            step("at", n.pool, n.pool - 1),
            step(LOADED, n.loaded, n.pool),
            Phase::new("scale", "many more").only("fixed").adds(n.many.clone()).settle(millis(200)).hold(n.hold),
            whole_calls::phase(),
        ],
        probe_timeout: n.probe_timeout,
        drain: n.drain,
        claims: vec![
            knee("broken", "at", "below"),
            pool_size(n.pool, "broken"),
            knee("broken-8", "at-8", "below-8"),
            pool_size(8, "broken-8"),
            Claim::apart(n.apart, "health-sync p90, broken over fixed", sync("broken", LOADED), sync("fixed", LOADED)),
            flat("health-sync p90", sync("fixed", LOADED)),
            flat("health-sync p90 with many streams", sync("fixed", "scale")),
            Claim::at_least(n.many.requests(), "many streams at the vendor throughout", many_at_vendor),
            whole_calls::answered(),
            whole_calls::health_flat(),
            Claim::exactly(0, "health-sync timed out, below pool size", below_timed_out).condition(),
            flat("health-async p90", at("broken", LOADED).p90("health_async")).condition(),
            idle_cpu(),
            flat("health-sync p90", sync("control", LOADED)).control(),
        ],
        ..Profile::default()
    }
}
