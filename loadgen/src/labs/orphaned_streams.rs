//! Vendor calls continue after their clients have disconnected.

use std::time::Duration;

use super::time::{millis, secs};
use crate::lab::{
    Arm, BASELINE, Calls, Claim, Figure, Group, LOADED, Lab, Load, Phase, Profile, StreamFigure, VendorFigure,
};

pub(super) static LAB: Lab = Lab {
    name: "orphaned-streams",
    group: Group::Threads,
    mistake: "after clients disconnect, their vendor calls run to the end and their queued work still starts",
    fix: "the call belongs to the response body and is dropped with it, even while the vendor is silent",
    mistake_file: "broken-server/src/mistakes/threads/orphaned_streams.rs",
    fix_file: "fixed-server/src/body.rs",
    repair_file: "broken-server/src/call_style/once.rs",
    proves_not: "that a vendor charges nothing for cancelled calls: ask yours. The mock stops generating when its \
                 client disconnects, but not every vendor does",
    // Three rounds of a pool of 8. The clients disconnect after a third of the first.
    normal: Profile {
        vendor: &["--tokens", "30", "--ttft", "100ms", "--inter-token", "100ms"],
        arms: ARMS,
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(1500)),
            Phase::new(LOADED, "24 streams")
                .adds(&disconnecting_after(millis(1000)), millis(50))
                .settle(millis(200))
                .hold(millis(700)),
            Phase::new("left", "closed").settle(millis(250)).hold(millis(300)),
            Phase::new("after", "later").hold(millis(8500)),
            Phase::new("silent", "all silent")
                .only("fixed")
                .adds(SILENT, millis(50))
                .calls(SILENT_CALLS)
                .settle(millis(550))
                .hold(millis(1100)),
        ],
        drain: millis(0),
        claims: &claims(),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "30", "--ttft", "60ms", "--inter-token", "60ms"],
        arms: ARMS,
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(300)),
            Phase::new(LOADED, "24 streams")
                .adds(&disconnecting_after(millis(650)), millis(50))
                .settle(millis(150))
                .hold(millis(400)),
            Phase::new("left", "closed").settle(millis(250)).hold(millis(300)),
            Phase::new("after", "later").hold(millis(4700)),
            Phase::new("silent", "all silent")
                .only("fixed")
                .adds(SILENT, millis(50))
                .calls(SILENT_CALLS)
                .settle(millis(550))
                .hold(millis(1000)),
        ],
        probe_rate: 10.0,
        drain: millis(0),
        claims: &claims(),
        ..Profile::EMPTY
    },
};

const ARMS: &[Arm] = &[
    Arm::actix("broken", &["--mistake", "orphaned-streams", "--blocking-threads", "8"]),
    Arm::actix("control", &["--mistake", "none", "--blocking-threads", "8"]),
    Arm::fixed(&[]),
];

const fn disconnecting_after(after: Duration) -> [Load; 1] {
    [Load { disconnect_after: Some(after), ..Load::of(24) }]
}

/// Clients that disconnect long before their first token.
const SILENT: &[Load] = &[Load { ttft: Some(secs(30)), disconnect_after: Some(millis(1000)), ..Load::of(24) }];
/// The same without streaming.
const SILENT_CALLS: &[Calls] =
    &[Calls { headers: &[("x-mock-ttft", "30s")], disconnect_after: Some(millis(1000)), ..Calls::whole(12) }];

const fn claims() -> [Claim; 14] {
    [
        Claim::exactly(16.0, "calls started after all disconnected", after("broken", VendorFigure::Started)),
        // Those calls alone produce 16 x 30 tokens; the rest of the other 8 comes on top.
        Claim::at_least(480.0, "tokens sent after all disconnected", after("broken", VendorFigure::TokensSent)),
        Claim::exactly(8.0, "calls active just after disconnects", left("broken")),
        Claim::exactly(0.0, "calls started after all disconnected", after("fixed", VendorFigure::Started)),
        Claim::exactly(0.0, "tokens sent after all disconnected", after("fixed", VendorFigure::TokensSent)),
        // Two per stream: one may be on its way, and one may be sent before the disconnect is noticed.
        Claim::at_most(
            48.0,
            "tokens sent just after disconnects",
            Figure::vendor("fixed", "left", VendorFigure::TokensSent),
        ),
        Claim::exactly(0.0, "calls active just after disconnects", left("fixed")),
        Claim::exactly(36.0, "silent vendor: calls cancelled", silent(VendorFigure::Cancelled)),
        Claim::exactly(0.0, "silent vendor: calls active", silent(VendorFigure::Active)),
        Claim::exactly(24.0, "clients disconnected", clients_disconnected("broken")).pressure(),
        Claim::exactly(24.0, "clients disconnected", clients_disconnected("fixed")).pressure(),
        Claim::exactly(24.0, "clients disconnected", clients_disconnected("control")).pressure(),
        Claim::exactly(0.0, "calls started after all disconnected", after("control", VendorFigure::Started)).control(),
        Claim::exactly(0.0, "calls active just after disconnects", left("control")).control(),
    ]
}

const fn after(arm: &'static str, what: VendorFigure) -> Figure {
    Figure::vendor(arm, "after", what)
}

const fn left(arm: &'static str) -> Figure {
    Figure::vendor(arm, "left", VendorFigure::Active)
}

const fn silent(what: VendorFigure) -> Figure {
    Figure::vendor("fixed", "silent", what)
}

const fn clients_disconnected(arm: &'static str) -> Figure {
    Figure::streams(arm, LOADED, StreamFigure::Disconnected)
}
