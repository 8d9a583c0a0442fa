//! Each call makes the limits that it passes.

use std::time::Duration;

use super::common::{millis, peak, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, Phase, Profile, RequestFigure,
    Upstream, at, flags,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "per-request-limits",
        group: Group::Calls,
        mistake: "each call makes the limits that it passes, and is the only one that they limit: a permit is always free, and the \
                  rate is never used up",
        fix: "one admission, made at the start: all calls share its permits, its rate and its queue",
        fix_file: "fixed-server/src/state.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that one limit in each process is enough: two replicas with a limit of 3 are six calls at the vendor",
        by_hand: ByHand::NeedsItsLab(
            "It shows when there are more calls than --max-in-flight, which is set low in its lab.",
        ),
        normal: profile(&Numbers { idle: secs(1), call: millis(800) }),
        fast: profile(&Numbers { idle: millis(300), call: millis(450) }),
    }
}

struct Numbers {
    idle: Duration,
    /// The vendor's time for a call.
    call: Duration,
}

/// The limit, as in the source.
const PERMITS: u32 = 3;
const CALLS: u32 = 30;
/// Calls that a vendor allows in any second.
const QUOTA: u32 = 10;
/// The servers' own limit for it. With less than the quota it is kept on a busy machine too.
const RATE: u32 = 8;

fn profile(n: &Numbers) -> Profile {
    // The queue timeout is longer than the last of all calls waits. One attempt, so that each refusal is a request that
    // fails.
    let limited = |arm: Arm| arm.flags(format!("--max-in-flight {PERMITS} --queue-timeout 25s --attempts 1"));
    let with_quota = |arm: Arm| {
        let vendor = Upstream::Vendor(flags(&format!("--quota-requests {QUOTA}/1s")));
        arm.flags(format!("--rate-limit {RATE}/1s --queue-timeout 25s --attempts 1")).calling(vendor)
    };
    Profile {
        vendor: flags(&format!("--tokens 1 --ttft {}ms", n.call.as_millis())),
        arms: vec![
            limited(Arm::broken()),
            with_quota(Arm::broken().named("broken-10")),
            limited(Arm::control()),
            limited(Arm::fixed()),
            with_quota(Arm::fixed().named("fixed-10")),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, format!("{CALLS} calls"))
                .adds(Load::calls(CALLS))
                .until_done(2 * n.call * CALLS / PERMITS),
        ],
        probes: vec![HEALTH_ASYNC],
        probe_rate: 10.0,
        drain: Duration::ZERO,
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let calls = |count: u32, name: &str, figure| Claim::exactly(count, name, figure);
    let opened = |arm| at(arm, LOADED).ledger(LedgerFigure::Connections);
    let refused = |arm| at(arm, LOADED).ledger(LedgerFigure::Refused);
    let answered = |arm| at(arm, LOADED).calls(RequestFigure::Completed);
    let limited = |arm| calls(PERMITS, "calls at the vendor at once, most", peak(arm));
    // A call that gets its permit before the connection of the last one is back in the pool opens another.
    let few = |arm| Claim::at_most(2 * PERMITS, "connections to the vendor", opened(arm));
    let all = |arm| calls(CALLS, "calls answered", answered(arm));
    vec![
        calls(CALLS, "calls at the vendor at once, most", peak("broken")),
        calls(CALLS, "connections to the vendor", opened("broken")),
        calls(CALLS - QUOTA, "calls over the vendor's quota", refused("broken-10")),
        calls(CALLS - QUOTA, "calls answered 429", at("broken-10", LOADED).calls(RequestFigure::Status(429))),
        limited("fixed"),
        few("fixed"),
        all("fixed"),
        calls(0, "calls over the vendor's quota", refused("fixed-10")),
        all("fixed-10"),
        calls(CALLS, "calls sent", at("control", LOADED).calls(RequestFigure::Requested)).pressure(),
        limited("control").control(),
        few("control").control(),
        all("control").control(),
    ]
}
