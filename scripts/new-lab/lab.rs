//! TODO: the mistake in a few words.

use std::time::Duration;

use super::common::{millis, peak, secs};
use crate::lab::{Arm, BASELINE, ByHand, Claim, Group, LOADED, Lab, Load, Phase, Profile, flags};

pub(super) fn lab() -> Lab {
    Lab {
        name: "@NAME@",
        group: Group::@GROUP_TYPE@,
        mistake: "TODO: the mistake in one sentence",
        fix: "TODO: the fix in one sentence",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "TODO: what somebody may conclude from it, and should not",
        by_hand: ByHand::NeedsItsLab("TODO: what its lab does that the playground does not"),
        normal: profile(&Numbers { streams: 60, tokens: 24, loaded: secs(4) }),
        fast: profile(&Numbers { streams: 20, tokens: 12, loaded: secs(1) }),
    }
}

/// What differs between the two lengths. The claims are the same.
struct Numbers {
    streams: u32,
    tokens: u32,
    /// Duration of the phase under load.
    loaded: Duration,
}

fn profile(n: &Numbers) -> Profile {
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![Arm::broken(), Arm::control(), Arm::fixed()],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, format!("{} streams", n.streams))
                .adds(Load::streams(n.streams).over(millis(250)))
                .settle(millis(500))
                .hold(n.loaded),
        ],
        claims: vec![
            // TODO: a figure of the mistake, at a value that the control does not reach.
            Claim::exactly(n.streams / 2, "TODO: streams at the vendor", peak("broken")),
            // TODO: the same figure of the fix, and of the control.
            Claim::exactly(n.streams, "TODO: streams at the vendor", peak("fixed")),
            Claim::exactly(n.streams, "TODO: streams at the vendor", peak("control")).control(),
        ],
        ..Profile::default()
    }
}
