//! A client that is blocking on the outside and asynchronous inside, in an async handler.

use std::time::Duration;

use super::common::{idle_cpu, millis, peak, secs};
use super::one_worker::{self, of_a_stream};
use super::whole_calls;
use crate::lab::{
    AppliesIf, ArmFigure, ByHand, Claim, Comparison, Group, LOADED, Lab, Load, Phase, Profile, RequestFigure, at,
    whole_run,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "blocking-client",
        group: Group::Threads,
        mistake: "reqwest::blocking inside an async handler: a debug build panics on every call, a release build \
                  blocks the event loop",
        fix: "the async client of the same library",
        fix_file: "fixed-server/src/upstream/client.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that the panic protects you: a release build, which is what runs in production, does not \
                     contain it; this run was judged by the claims for the build that it found",
        by_hand: ByHand::Shows(
            "Set 1 stream. A release build hangs until it ends, both health checks with it; a debug build answers \
             each stream with 500.",
        ),
        normal: profile(12, secs(2)),
        fast: profile(6, millis(500)),
    }
}

/// The phase that shows whether broken-server is a debug or a release build.
const FIRST: &str = "first";

/// Streams of this many tokens, after an idle phase.
fn profile(tokens: u32, idle: Duration) -> Profile {
    let stream = one_worker::stream(tokens);
    let first = Phase::new(FIRST, "one call").adds(Load::streams(1).tokens(2)).hold(millis(900));
    let streams = |what| at("broken", LOADED).streams(what);
    // A server that answers 500 to everything is not a debug build.
    let unanswered = whole_run("broken").of_arm(ArmFigure::ProbesUnanswered);
    let slowest = of_a_stream(at("broken", LOADED).slowest("health_async"), stream);
    let failed = streams(RequestFigure::Status(500));
    let mut profile = one_worker::profile(tokens, idle, Some(first));
    profile.claims.extend([
        Claim::exactly(4, "debug build: calls answered 500", failed).applies_if(first_call_was(500)),
        Claim::exactly(0, "debug build: probes not answered 2xx", unanswered)
            .condition()
            .applies_if(first_call_was(500)),
        Claim::at_least(0.8, "health-async, slowest", slowest).applies_if(first_call_was(200)),
        Claim::exactly(1, "streams at the vendor: one per worker", peak("broken")).applies_if(first_call_was(200)),
        Claim::exactly(4, "streams completed", streams(RequestFigure::Completed))
            .condition()
            .applies_if(first_call_was(200)),
        idle_cpu(),
        one_worker::broken_over_fixed().applies_if(first_call_was(200)),
    ]);
    profile.claims.extend(one_worker::claims_about_the_fix(stream));
    profile.claims.push(whole_calls::longest(2.0, stream));
    profile
}

/// The first call was answered like this: 500 by a debug build, 200 by a release build.
fn first_call_was(status: u16) -> AppliesIf {
    let figure = at("broken", FIRST).streams(RequestFigure::Status(status));
    AppliesIf { figure, comparison: Comparison::AtLeast, threshold: 1.0 }
}
