//! What labs share that fill fixed-server's own pool: what is asked of a pool shows only when it is full.

use crate::lab::{Action, ActionTarget, Phase};

/// The phase.
pub(super) const NAME: &str = "full-pool";

/// All threads of fixed-server's pool are held, for longer than the phase is measured.
const HOLD: &[Action] = &[Action {
    target: ActionTarget::Server,
    method: "POST",
    path: "/debug/hold-threads",
    body: r#"{"seconds":6}"#,
    only: Some("fixed"),
}];

/// The phase, for fixed-server alone: whoever plays its part has a pool of another kind.
pub(super) const fn phase() -> Phase {
    Phase::new(NAME, "pool full").only("fixed").actions(HOLD)
}
