//! A token bucket as large as the vendor's quota, against a vendor that counts every window.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, Phase, Profile, RequestFigure,
    Upstream, at, flags,
};
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "bursty-limiter",
        group: Group::Calls,
        mistake: "the rate limiter is a token bucket as large as the vendor's quota: after a pause nearly two quotas go \
                  through in one interval",
        fix: "a small burst, and the rest of the quota spread evenly: together no more than the quota in every window",
        fix_file: "fixed-server/src/state.rs",
        repair_file: "broken-server/src/mistake.rs",
        proves_not: "that every vendor counts strictly (some have such a bucket themselves), or that its limits are the \
                     documented ones",
        by_hand: ByHand::NeedsItsLab(
            "It shows when a vendor has a quota of calls and gets more calls than that after a pause, as in its lab.",
        ),
        normal: profile(&Numbers { idle: secs(1), hold: secs(6), later: secs(3) }),
        fast: profile(&Numbers { idle: millis(500), hold: secs(3), later: millis(1500) }),
    }
}

struct Numbers {
    idle: Duration,
    /// From a full bucket on.
    hold: Duration,
    /// From an empty bucket on.
    later: Duration,
}

/// The vendor's quota of calls in any window of this length.
const QUOTA: u32 = 20;
const WINDOW: Duration = secs(1);
/// Calls a second: three times the quota.
const OFFERED: f64 = 60.0;
/// The phase in which the bucket is empty.
const LATER: &str = "later";

fn profile(n: &Numbers) -> Profile {
    let limits = format!(
        "--rate-limit {QUOTA}/1s --attempts 1 --max-in-flight 100 --queue-timeout 500ms --call-timeout 3s --sla 6s"
    );
    let strict = || Upstream::Vendor(flags(&format!("--quota-requests {QUOTA}/1s")));
    let calls = || Load::new("calls", Request::whole()).schedule(Schedule::rate(OFFERED));
    Profile {
        vendor: flags("--tokens 1 --ttft 50ms"),
        arms: vec![
            Arm::broken().flags(&limits).calling(strict()),
            Arm::broken().named("broken-lax").flags(&limits),
            Arm::control().flags(&limits).calling(strict()),
            Arm::fixed().flags(&limits).calling(strict()),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, "after a pause").adds(calls()).hold(n.hold),
            Phase::new(LATER, "later").adds(calls()).hold(n.later),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let held = n.hold.as_secs_f64();
    let refused = |arm| at(arm, LOADED).ledger(LedgerFigure::Refused);
    let in_a_second = |phase| at("broken-lax", phase).ledger(LedgerFigure::MostStartsWithin(WINDOW));
    let none_refused = |arm| Claim::exactly(0, "429s of the vendor", refused(arm));
    let used = |arm| {
        let started = at(arm, LOADED).ledger(LedgerFigure::Started);
        Claim::at_least(0.85 * f64::from(QUOTA) * held, "calls that the vendor accepted", started)
    };
    let asked = at("control", LOADED).calls(RequestFigure::Requested);
    vec![
        Claim::at_least(1.75 * f64::from(QUOTA), "most calls in one second, lax vendor", in_a_second(LOADED)),
        Claim::at_least(0.75 * f64::from(QUOTA), "429s of the vendor", refused("broken")),
        none_refused("fixed"),
        used("fixed"),
        // Once the bucket is empty, it lets through what it is refilled with.
        Claim::at_most(1.2 * f64::from(QUOTA), "most calls in one second, later", in_a_second(LATER)).condition(),
        Claim::at_least(0.9 * OFFERED * held, "requests", asked).pressure(),
        none_refused("control").control(),
        used("control").control(),
    ]
}
