//! Vendor calls continue after their clients have disconnected.

use std::time::Duration;

use super::common::millis;
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, LOADED, Lab, Load, Phase, Profile, RequestFigure, VendorFigure, at, flags,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "orphaned-streams",
        group: Group::Threads,
        mistake: "after clients disconnect, their vendor calls run to the end and their queued work still starts",
        fix: "the call belongs to the response body and is dropped with it, even while the vendor is silent",
        fix_file: "fixed-server/src/body.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that a vendor charges nothing for cancelled calls: ask yours. The mock stops generating when its \
                     client disconnects, but not every vendor does",
        by_hand: ByHand::Shows(
            "Set 30 streams, wait for their first tokens, and set 0. The vendor of the broken server goes on \
             generating for nobody, and counts no disconnect.",
        ),
        normal: profile(&Numbers { gap: millis(100), settle: millis(200), hold: millis(700), probe_rate: 20.0 }),
        fast: profile(&Numbers { gap: millis(60), settle: millis(150), hold: millis(400), probe_rate: 10.0 }),
    }
}

struct Numbers {
    /// Between two tokens, and before the first.
    gap: Duration,
    settle: Duration,
    hold: Duration,
    probe_rate: f64,
}

const STREAMS: u32 = 24;
const TOKENS: u32 = 30;

/// Three rounds of a pool of 8. The clients disconnect after a third of the first.
fn profile(n: &Numbers) -> Profile {
    let ramp = millis(50);
    let gap = n.gap.as_millis();
    let streams = Load::streams(STREAMS).over(ramp).disconnecting_after(ramp + n.settle + n.hold + millis(50));
    let silent = |load: Load| load.ttft(Duration::from_secs(30)).disconnecting_after(millis(1000));
    let started = |arm| at(arm, "after").vendor(VendorFigure::Started);
    let active = |arm| at(arm, "left").vendor(VendorFigure::Active);
    let tokens = |arm, phase| at(arm, phase).vendor(VendorFigure::TokensSent);
    let disconnected = |arm| {
        let clients = at(arm, LOADED).streams(RequestFigure::Disconnected);
        Claim::exactly(STREAMS, "clients disconnected", clients).pressure()
    };
    let in_silence = |what| at("fixed", "silent").vendor(what);
    Profile {
        vendor: flags(&format!("--tokens {TOKENS} --ttft {gap}ms --inter-token {gap}ms")),
        arms: vec![
            Arm::broken().flags("--blocking-threads 8"),
            Arm::control().flags("--blocking-threads 8"),
            Arm::fixed(),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.hold),
            Phase::new(LOADED, format!("{STREAMS} streams")).adds(streams).settle(n.settle).hold(n.hold),
            Phase::new("left", "closed").settle(millis(250)).hold(millis(300)),
            // The rest of the three rounds.
            Phase::new("after", "later").hold(n.gap * TOKENS * 14 / 5),
            Phase::new("silent", "all silent")
                .only("fixed")
                .adds(silent(Load::streams(24).over(ramp)))
                .adds(silent(Load::calls(12)))
                .settle(millis(550))
                .hold(millis(1000)),
        ],
        probe_rate: n.probe_rate,
        drain: millis(0),
        claims: vec![
            Claim::exactly(16, "calls started after all disconnected", started("broken")),
            // Those calls alone produce 16 x 30 tokens; the rest of the other 8 comes on top.
            Claim::at_least(16 * TOKENS, "tokens sent after all disconnected", tokens("broken", "after")),
            Claim::exactly(8, "calls active just after disconnects", active("broken")),
            Claim::exactly(0, "calls started after all disconnected", started("fixed")),
            Claim::exactly(0, "tokens sent after all disconnected", tokens("fixed", "after")),
            // Two per stream: one may be on its way, and one may be sent before the disconnect is noticed.
            Claim::at_most(2 * STREAMS, "tokens sent just after disconnects", tokens("fixed", "left")),
            Claim::exactly(0, "calls active just after disconnects", active("fixed")),
            Claim::exactly(36, "silent vendor: calls cancelled", in_silence(VendorFigure::Cancelled)),
            Claim::exactly(0, "silent vendor: calls active", in_silence(VendorFigure::Active)),
            disconnected("broken"),
            disconnected("fixed"),
            disconnected("control"),
            Claim::exactly(0, "calls started after all disconnected", started("control")).control(),
            Claim::exactly(0, "calls active just after disconnects", active("control")).control(),
        ],
        ..Profile::default()
    }
}
