//! The pool is enlarged, and enlarged again.

use std::time::Duration;

use super::time::{millis, secs};
use super::whole_calls;
use crate::lab::{Arm, BASELINE, Claim, Figure, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile, VendorFigure};

pub(super) static LAB: Lab = Lab {
    name: "more-threads",
    group: Group::Threads,
    mistake: "the pool is enlarged from 40 to 160 to 512 threads: the server still hangs, at a higher number of streams",
    fix: "an async client: no hang at any of these numbers",
    mistake_file: "broken-server/src/mistakes/threads/more_threads.rs",
    fix_file: "fixed-server/src/upstream/events.rs",
    repair_file: "broken-server/src/call_style/once.rs",
    proves_not: "that a larger pool is never right: short work may need more threads. Work that waits needs as many \
                 threads as there are streams (Little's law)",
    // One token per second: many streams, little work. Each phase has one stream fewer than a pool has
    // threads, or exactly as many; the last has more than the largest pool.
    normal: Profile {
        vendor: &["--tokens", "20", "--ttft", "250ms", "--inter-token", "1s"],
        arms: &[
            Arm::actix("broken", &["--mistake", "more-threads", "--blocking-threads", "40"]),
            Arm::actix("broken-160", &["--mistake", "more-threads", "--blocking-threads", "160"]),
            Arm::actix("broken-512", &["--mistake", "more-threads", "--blocking-threads", "512"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "40"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new("below-1", "39 streams")
                .adds(&[Load::of(39)], millis(400))
                .settle(millis(300))
                .hold(millis(1500)),
            Phase::new("at-1", "40 streams").adds(&[Load::of(1)], millis(0)).settle(millis(500)).hold(millis(1500)),
            Phase::new("below-2", "159 streams").adds(&[Load::of(119)], secs(1)).settle(millis(500)).hold(millis(1500)),
            Phase::new("at-2", "160 streams").adds(&[Load::of(1)], millis(0)).settle(millis(500)).hold(millis(1500)),
            Phase::new("below-3", "511 streams").adds(&[Load::of(351)], secs(2)).settle(secs(1)).hold(millis(1500)),
            Phase::new("at-3", "512 streams").adds(&[Load::of(1)], millis(0)).settle(millis(500)).hold(millis(1500)),
            Phase::new(LOADED, "540 streams").adds(&[Load::of(28)], millis(100)).settle(millis(400)).hold(millis(1000)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(1),
        drain: millis(1200),
        claims: &claims([40.0, 160.0, 512.0], ["broken", "broken-160", "broken-512"], secs(1), 0.1),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "30", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "more-threads", "--blocking-threads", "4"]),
            Arm::actix("broken-8", &["--mistake", "more-threads", "--blocking-threads", "8"]),
            Arm::actix("broken-24", &["--mistake", "more-threads", "--blocking-threads", "24"]),
            Arm::actix("control", &["--mistake", "none", "--blocking-threads", "4"]),
            Arm::fixed(&[]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new("below-1", "3 streams").adds(&[Load::of(3)], millis(0)).settle(millis(200)).hold(millis(500)),
            Phase::new("at-1", "4 streams").adds(&[Load::of(1)], millis(0)).settle(millis(300)).hold(millis(500)),
            Phase::new("below-2", "7 streams").adds(&[Load::of(3)], millis(0)).settle(millis(300)).hold(millis(500)),
            Phase::new("at-2", "8 streams").adds(&[Load::of(1)], millis(0)).settle(millis(300)).hold(millis(500)),
            Phase::new("below-3", "23 streams")
                .adds(&[Load::of(15)], millis(100))
                .settle(millis(300))
                .hold(millis(500)),
            Phase::new("at-3", "24 streams").adds(&[Load::of(1)], millis(0)).settle(millis(300)).hold(millis(500)),
            Phase::new(LOADED, "32 streams").adds(&[Load::of(8)], millis(0)).settle(millis(300)).hold(millis(500)),
            whole_calls::phase(&whole_calls::SIXTY).hold(millis(900)),
        ],
        probe_timeout: secs(1),
        drain: millis(1200),
        claims: &claims([4.0, 8.0, 24.0], ["broken", "broken-8", "broken-24"], millis(250), 0.4),
        ..Profile::EMPTY
    },
};

/// `pools` are the sizes of the pools of `arms`. A health check counts as unaffected up to `flat` token gaps.
const fn claims(pools: [f64; 3], arms: [&'static str; 3], gap: Duration, flat: f64) -> [Claim; 13] {
    [
        Claim::at_least(90.0, "health-sync timed out, at pool size", timed_out_share(arms[0], "at-1")),
        Claim::exactly(pools[0], "streams at the vendor: the pool size", peak(arms[0])),
        Claim::at_least(90.0, "health-sync timed out, at pool size", timed_out_share(arms[1], "at-2")),
        Claim::exactly(pools[1], "streams at the vendor: the pool size", peak(arms[1])),
        Claim::at_least(90.0, "health-sync timed out, at pool size", timed_out_share(arms[2], "at-3")),
        Claim::exactly(pools[2], "streams at the vendor: the pool size", peak(arms[2])),
        Claim::at_most(flat, "health-sync p90", Figure::gaps(SYNC_FIXED, gap)),
        whole_calls::answered(60.0),
        whole_calls::health_flat(flat, gap),
        Claim::exactly(0.0, "health-sync timed out, below pool size", timed_out(arms[0], "below-1")).condition(),
        Claim::exactly(0.0, "health-sync timed out, below pool size", timed_out(arms[1], "below-2")).condition(),
        Claim::exactly(0.0, "health-sync timed out, below pool size", timed_out(arms[2], "below-3")).condition(),
        Claim::at_most(flat, "health-sync p90", Figure::gaps(SYNC_CONTROL, gap)).control(),
    ]
}

const SYNC_FIXED: &Figure = &Figure::p90("fixed", LOADED, "health_sync");
const SYNC_CONTROL: &Figure = &Figure::p90("control", LOADED, "health_sync");

const fn timed_out(arm: &'static str, phase: &'static str) -> Figure {
    Figure::probe(arm, phase, "health_sync", ProbeFigure::TimedOut)
}

const fn timed_out_share(arm: &'static str, phase: &'static str) -> Figure {
    Figure::probe(arm, phase, "health_sync", ProbeFigure::TimedOutShare)
}

const fn peak(arm: &'static str) -> Figure {
    Figure::vendor(arm, LOADED, VendorFigure::PeakActive)
}
