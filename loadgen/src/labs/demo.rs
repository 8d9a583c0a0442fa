//! The numbers of `loadgen demo`: the lab `pool-exhaustion` in a longer profile.

use super::common::{idle_cpu, millis, pool_size, secs};
use crate::lab::{Arm, BASELINE, Claim, LOADED, Load, Phase, Profile, VendorFigure, at, flags};

/// The original check calls a pool exhausted from here on.
const EXHAUSTED_MS: f64 = 100.0;

/// `pool-exhaustion` as the demo shows it: one pool of 40 threads, streams of 15 s, and 2,000 more streams
/// for fixed-server. The 40th stream comes alone, so that one sees the health check hang because of it. All streams
/// start within four seconds and are open until the end of `loaded`: a full pool stays full.
pub(super) fn profile() -> Profile {
    let p99 = |arm, phase| at(arm, phase).p99("health_sync");
    let median = |phase| at("broken", phase).p50("health_sync");
    let hangs = |name: &str, under| Claim::apart(100.0, name, p99("broken", LOADED), under);
    let unaffected = |name: &str, arm, phase| Claim::at_most(EXHAUSTED_MS, name, p99(arm, phase));
    let with_more = at("fixed", "scale").vendor(VendorFigure::PeakActive);
    let more = Load::streams(2000).tokens(18).over(millis(1500));
    Profile {
        vendor: flags("--tokens 60 --ttft 250ms --inter-token 250ms"),
        arms: vec![
            Arm::broken().flags("--blocking-threads 40"),
            Arm::control().flags("--blocking-threads 40"),
            Arm::fixed(),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(secs(2)),
            Phase::new("below", "39 streams").adds(Load::streams(39).over(millis(500))).hold(millis(1500)),
            Phase::new("at", "40 streams").adds(Load::streams(1)).hold(millis(1250)),
            Phase::new(LOADED, "60 streams").adds(Load::streams(20).over(millis(500))).hold(secs(11)),
            Phase::new("scale", "2,000 more").only("fixed").adds(more).hold(secs(3)),
        ],
        probe_timeout: secs(10),
        claims: vec![
            hangs("health-sync p99, 60 streams over idle", p99("broken", BASELINE)),
            hangs("health-sync p99, broken over fixed", p99("fixed", LOADED)),
            hangs("health-sync p99, 60 streams over 39", p99("broken", "below")),
            Claim::apart(100.0, "health-sync p50, 40 streams over 39", median("at"), median("below")),
            hangs("p99, health-sync over health-async", at("broken", LOADED).p99("health_async")),
            pool_size(40, "broken"),
            unaffected("health-sync p99, 2,000 more streams", "fixed", "scale"),
            Claim::at_least(2000, "streams at the vendor, 2,000 more", with_more),
            idle_cpu(),
            unaffected("health-sync p99", "control", LOADED).control(),
        ],
        ..Profile::default()
    }
}
