//! A blocking call inside an async handler.

use std::time::Duration;

use super::common::{idle_cpu, millis, peak, secs};
use super::one_worker::{self, of_a_stream};
use crate::lab::{ByHand, Claim, Group, LOADED, Lab, Profile, RequestFigure, at, whole_run};

pub(super) fn lab() -> Lab {
    Lab {
        name: "blocked-executor",
        group: Group::Threads,
        mistake: "a blocking call inside an async handler: the event loop stops until it returns",
        fix: "an async client: the event loop serves other requests meanwhile",
        fix_file: "fixed-server/src/upstream/events.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that more workers would help (each stops at its own first stream), or that the first stream \
                     suffers (it looks perfect)",
        by_hand: ByHand::Shows("Set 1 stream. Both health checks hang until it ends."),
        normal: profile(12, secs(2)),
        fast: profile(6, millis(500)),
    }
}

/// Streams of this many tokens, after an idle phase.
fn profile(tokens: u32, idle: Duration) -> Profile {
    let stream = one_worker::stream(tokens);
    let broken = || at("broken", LOADED);
    let mut profile = one_worker::profile(tokens, idle, None);
    profile.claims.extend([
        Claim::at_least(0.8, "health-async, slowest", of_a_stream(broken().slowest("health_async"), stream)),
        Claim::at_least(0.8, "health-sync, slowest", of_a_stream(broken().slowest("health_sync"), stream)),
        Claim::exactly(1, "streams at the vendor: one per worker", peak("broken")),
        one_worker::broken_over_fixed(),
    ]);
    profile.claims.extend(one_worker::claims_about_the_fix(stream));
    profile.claims.extend([
        Claim::exactly(4, "streams completed", whole_run("broken").streams(RequestFigure::Completed)).condition(),
        idle_cpu(),
    ]);
    profile
}
