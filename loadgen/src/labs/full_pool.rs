//! A phase in which fixed-server's own pool is full, shared by the labs about work that needs a pool thread.

use crate::lab::{Action, Phase};

/// The name of the phase.
pub(super) const NAME: &str = "full-pool";

/// The phase, for fixed-server alone: a broken-server that is judged as `fixed` has another kind of pool. All threads
/// of the pool are held for longer than the phase is measured.
pub(super) fn phase() -> Phase {
    let hold = Action::call("POST", "/debug/hold-threads", r#"{"seconds":6}"#).only("fixed");
    Phase::new(NAME, "pool full").only("fixed").action(hold)
}
