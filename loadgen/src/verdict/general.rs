//! Claims and preconditions that are the same for every lab. A clean server answers its probes, its streams
//! flow as the vendor sends them, all of them reach the vendor, and they hold no threads. A vendor sends what
//! was requested.

use crate::lab::{Arm, ArmFigure, Claim, LOADED, Profile, VendorFigure, at, whole_run};
use crate::result::{RunResult, Side};

/// How much delay a server may add to the first token: a token gap of most labs.
const FIRST_TOKEN_LATE_MS: f64 = 250.0;
/// With a smaller share of the vendor's own gap, most tokens arrived in batches.
const GAP_MIN: f64 = 0.5;
/// Percent of the tokens sent. The rest is on its way or was sent to clients that disconnected.
const TOKENS_RECEIVED_MIN: f64 = 80.0;
/// Threads more than idle: a pool that probes use may have grown a little, but not by one per stream.
const THREADS_MAX: f64 = 6.0;
/// Percent of the requested tokens.
const VENDOR_TOKENS_MIN: f64 = 90.0;
/// Percent of the requested token rate: each stream waits for its first token.
const VENDOR_TOKEN_RATE_MIN: f64 = 60.0;

/// What is required of the arms judged as these. Figures that the system or the lab does not provide
/// (threads, a vendor that is not there) are left out.
pub(super) fn claims(profile: &Profile, judged_as: &[&str], result: &RunResult) -> Vec<Claim> {
    let arms = profile.arms.iter().filter(|arm| judged_as.contains(&arm.name.as_str()));
    let all = arms.flat_map(|arm| of_server(arm, result).into_iter().chain(of_vendor(&arm.name)));
    all.map(Claim::general).filter(|claim| claim.figure.of(result).is_some()).collect()
}

/// For fixed-server these are claims; for the control they are preconditions.
fn of_server(arm: &Arm, result: &RunResult) -> Vec<Claim> {
    if arm.faulty || arm.side == Side::Broken {
        return Vec::new();
    }
    let of = |what| whole_run(&arm.name).of_arm(what);
    let mut claims = vec![
        Claim::exactly(0.0, "probes not answered 2xx in time", of(ArmFigure::ProbesUnanswered)),
        Claim::exactly(0.0, "streams failed, truncated or stalled", of(ArmFigure::StreamsLost)),
        Claim::exactly(0.0, "streams without a token", of(ArmFigure::WithoutToken)),
        Claim::at_most(FIRST_TOKEN_LATE_MS, "delay added to the first token, p90", of(ArmFigure::FirstTokenLate)),
        Claim::at_least(GAP_MIN, "time between tokens, p50", of(ArmFigure::GapMedian)),
        Claim::at_least(TOKENS_RECEIVED_MIN, "tokens received, of those sent", of(ArmFigure::TokensReceived)),
        Claim::at_most(THREADS_MAX, "more threads than idle", of(ArmFigure::ThreadsOverIdle)),
    ];
    if let Some(streams) = expected_load(arm, result) {
        let throughout = at(&arm.name, LOADED).vendor(VendorFigure::ActiveThroughout);
        claims.push(Claim::at_least(streams, "streams at the vendor throughout", throughout));
    }
    if arm.side == Side::Control { claims.into_iter().map(Claim::control).collect() } else { claims }
}

/// How many streams should be open during `loaded`.
fn expected_load(arm: &Arm, result: &RunResult) -> Option<f64> {
    let loaded = result.arms.get(&arm.name)?.phases.iter().find(|phase| phase.name == LOADED)?;
    Some(loaded.expected?.streams as f64)
}

/// What the vendor itself did, whatever its server did.
fn of_vendor(arm: &str) -> impl Iterator<Item = Claim> {
    let of = |what| whole_run(arm).of_arm(what);
    let claims = [
        Claim::exactly(0.0, "calls failed by the vendor", of(ArmFigure::VendorFailed)),
        Claim::at_least(
            VENDOR_TOKENS_MIN,
            "vendor's tokens per call, as requested",
            of(ArmFigure::VendorTokensPerCall),
        ),
        Claim::at_least(VENDOR_TOKEN_RATE_MIN, "vendor's token rate, as requested", of(ArmFigure::VendorTokenRate)),
    ];
    claims.into_iter().map(Claim::pressure)
}
