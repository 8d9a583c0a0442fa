//! What is required of every lab alike. A clean server answers its probes, its streams flow as the vendor
//! sends them, they all reach the vendor and keep no threads. A vendor does what the load asked of it. A
//! lab then claims only what is its own.

use crate::lab::{Arm, ArmFigure, Claim, Figure, LOADED, Profile, VendorFigure};
use crate::result::{RunResult, Side};

/// How much later than at the vendor a first token may come: a token gap of most labs.
const FIRST_TOKEN_LATE_MS: f64 = 250.0;
/// Less than this share of the vendor's own gap, and most tokens came together with others.
const GAP_MIN: f64 = 0.5;
/// Percent of the tokens sent. The others are on their way, or crossed a client that left.
const TOKENS_RECEIVED_MIN: f64 = 80.0;
/// More threads than idle: a pool that probes use may have grown by some, but not by one a stream.
const THREADS_MAX: f64 = 6.0;
/// Percent of the tokens asked for.
const VENDOR_TOKENS_MIN: f64 = 90.0;
/// Percent of the pace asked for: a stream has its first token to wait for.
const VENDOR_TOKEN_RATE_MIN: f64 = 60.0;

/// What is required of the arms that play these parts. A figure that the system or the lab does not give
/// (threads, a vendor that is not there) is left out.
pub(super) fn claims(profile: &Profile, judged_as: &[&str], result: &RunResult) -> Vec<Claim> {
    let arms = profile.arms.iter().filter(|arm| judged_as.contains(&arm.name));
    let all = arms.flat_map(|arm| of_server(arm, result).into_iter().chain(of_vendor(arm.name)));
    all.map(Claim::general).filter(|claim| claim.figure.of(result).is_some()).collect()
}

/// Of fixed-server these are claims; a control that does not meet them is not clean.
fn of_server(arm: &'static Arm, result: &RunResult) -> Vec<Claim> {
    let side = Side::of(arm.name);
    if arm.faulty || side == Some(Side::Broken) {
        return Vec::new();
    }
    let name = arm.name;
    let of = |what| Figure::Arm { arm: name, what };
    let mut claims = vec![
        Claim::exactly(0.0, "probes not answered 2xx in time", of(ArmFigure::ProbesUnanswered)),
        Claim::exactly(0.0, "streams failed, cut or stalled", of(ArmFigure::StreamsLost)),
        Claim::exactly(0.0, "streams without a token", of(ArmFigure::WithoutToken)),
        Claim::at_most(FIRST_TOKEN_LATE_MS, "first token later than sent, p90", of(ArmFigure::FirstTokenLate)),
        Claim::at_least(GAP_MIN, "time between tokens, p50", of(ArmFigure::GapMedian)),
        Claim::at_least(TOKENS_RECEIVED_MIN, "tokens received, of those sent", of(ArmFigure::TokensReceived)),
        Claim::at_most(THREADS_MAX, "threads over idle", of(ArmFigure::ThreadsOverIdle)),
    ];
    if let Some(streams) = expected_load(arm, result) {
        let throughout = Figure::vendor(name, LOADED, VendorFigure::ActiveThroughout);
        claims.push(Claim::at_least(streams, "streams at the vendor throughout", throughout));
    }
    if side == Some(Side::Control) { claims.into_iter().map(Claim::control).collect() } else { claims }
}

/// How many streams should be open while `loaded` is measured.
fn expected_load(arm: &Arm, result: &RunResult) -> Option<f64> {
    let loaded = result.arms.get(arm.name)?.phases.iter().find(|phase| phase.name == LOADED)?;
    Some(loaded.expected?.streams as f64)
}

/// What the vendor itself did, whatever its server did: the pressure of the lab.
fn of_vendor(arm: &'static str) -> impl Iterator<Item = Claim> {
    let of = |what| Figure::Arm { arm, what };
    let claims = [
        Claim::exactly(0.0, "calls that the vendor failed", of(ArmFigure::VendorFailed)),
        Claim::at_least(
            VENDOR_TOKENS_MIN,
            "vendor's tokens a call, of those asked",
            of(ArmFigure::VendorTokensPerCall),
        ),
        Claim::at_least(VENDOR_TOKEN_RATE_MIN, "vendor's pace, of that asked", of(ArmFigure::VendorTokenRate)),
    ];
    claims.into_iter().map(Claim::pressure)
}
