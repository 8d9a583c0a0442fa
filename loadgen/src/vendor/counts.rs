//! The counts of a ledger that are shown while a run is under way.

use serde::Serialize;
use wire::ledger::Ledger;

/// What a vendor has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Generations that are under way.
    pub active: u64,
    /// The most at any time.
    pub peak_active: u64,
    /// Generations begun.
    pub started: u64,
    /// Generations that were sent whole.
    pub completed: u64,
    /// Generations whose client disconnected.
    pub cancelled: u64,
}

impl From<&Ledger> for Counts {
    fn from(ledger: &Ledger) -> Self {
        let Ledger { active, peak_active, started, completed, cancelled, .. } = *ledger;
        Counts { active, peak_active, started, completed, cancelled }
    }
}
