//! A phase in which fixed-server's own pool is full, shared by the labs about work that needs a pool thread.

use crate::lab::{Action, ActionTarget, Phase};

/// The name of the phase.
pub(super) const NAME: &str = "full-pool";

/// Holds all threads of fixed-server's pool, for longer than the phase is measured.
const HOLD: &[Action] = &[Action {
    target: ActionTarget::Server,
    method: "POST",
    path: "/debug/hold-threads",
    body: r#"{"seconds":6}"#,
    only: Some("fixed"),
}];

/// The phase, for fixed-server alone: a broken-server that is judged as `fixed` has another kind of pool.
pub(super) const fn phase() -> Phase {
    Phase::new(NAME, "pool full").only("fixed").actions(HOLD)
}
