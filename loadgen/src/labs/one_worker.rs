//! What the labs about a blocked event loop share: one worker, four streams that it serves one after another, and the
//! claims about a fix that serves sixty at once.

use std::time::Duration;

use super::common::{GAP, flat, millis};
use super::whole_calls;
use crate::lab::{Arm, BASELINE, Claim, Figure, LOADED, Load, Phase, Profile, VendorFigure, at, flags};

/// The phase with more streams than a pool has threads.
const SCALE: &str = "scale";

/// The duration of a stream of this many tokens.
pub(super) fn stream(tokens: u32) -> Duration {
    GAP * tokens
}

/// A latency in durations of a stream.
pub(super) fn of_a_stream(latency: Figure, stream: Duration) -> Figure {
    latency.in_units_of(stream, "of a stream")
}

/// Arms, phases and probes, without claims. `first` comes between the idle phase and the load.
pub(super) fn profile(tokens: u32, idle: Duration, first: Option<Phase>) -> Profile {
    let stream = stream(tokens);
    let mut phases = vec![Phase::new(BASELINE, "idle").hold(idle)];
    phases.extend(first);
    phases.extend([
        // As long as its streams, so that they are open throughout. broken-server serves them one after another and
        // is still busy in the following phases.
        Phase::new(LOADED, "4 streams")
            .adds(Load::streams(4))
            .settle(millis(200))
            .hold(stream.saturating_sub(millis(300))),
        Phase::new(SCALE, "60 streams")
            .only("fixed")
            .adds(Load::streams(60).over(GAP))
            .settle(millis(150))
            .hold(stream.saturating_sub(millis(850))),
        whole_calls::phase(),
    ]);
    Profile {
        vendor: flags(&format!("--tokens {tokens} --ttft 250ms --inter-token 250ms")),
        arms: vec![Arm::broken().flags("--workers 1"), Arm::control().flags("--workers 1"), Arm::fixed()],
        phases,
        // All four streams, one after another, and the checks behind them.
        probe_timeout: stream * 5,
        drain: stream * 7 / 2,
        ..Profile::default()
    }
}

/// The event loop of the server with the mistake stops, that of the fix does not.
pub(super) fn broken_over_fixed() -> Claim {
    let loop_latency = |arm| at(arm, LOADED).p90("health_async");
    Claim::apart(5.0, "health-async p90, broken over fixed", loop_latency("broken"), loop_latency("fixed"))
}

/// What holds on a server whose event loop is not blocked, and a clean control.
pub(super) fn claims_about_the_fix(stream: Duration) -> Vec<Claim> {
    let short = |name: &str, latency| Claim::at_most(0.15, name, of_a_stream(latency, stream));
    let many_at_vendor = at("fixed", SCALE).vendor(VendorFigure::ActiveThroughout);
    vec![
        short("health-async p90", at("fixed", LOADED).p90("health_async")),
        short("health-sync p90", at("fixed", LOADED).p90("health_sync")),
        flat("health-sync p90, 60 streams", at("fixed", SCALE).p90("health_sync")),
        flat("health-async p90, 60 streams", at("fixed", SCALE).p90("health_async")),
        Claim::at_least(60, "60 streams at the vendor throughout", many_at_vendor),
        whole_calls::answered(),
        whole_calls::health_flat(),
        short("health-async p90", at("control", LOADED).p90("health_async")).control(),
    ]
}
