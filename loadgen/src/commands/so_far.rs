//! What a diagnosis has seen so far, said if it is stopped before its end.

use crate::numbers::{count, counted};
use crate::report::Terminal;
use crate::result::DiagnosisLevel;

/// Dropped before [`SoFar::end`], it says what there was.
pub(super) struct SoFar<'a> {
    terminal: &'a Terminal,
    last: Option<DiagnosisLevel>,
    has_ended: bool,
}

impl<'a> SoFar<'a> {
    pub(super) fn new(terminal: &'a Terminal) -> Self {
        SoFar { terminal, last: None, has_ended: false }
    }

    /// This was seen.
    pub(super) fn level(&mut self, level: &DiagnosisLevel) {
        self.last = Some(level.clone());
    }

    /// There is nothing left to say.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }
}

impl Drop for SoFar<'_> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        self.terminal.line(match &self.last {
            Some(DiagnosisLevel { streams, started, waiting, lost, .. }) => format!(
                "  Stopped. Last seen: of {} {} flowed, {} waited and {} had been rejected or failed. All are closed.",
                counted(*streams, "stream", "streams"),
                count(*started),
                count(*waiting),
                count(*lost)
            ),
            None => "  Stopped before anything was measured under load.".to_owned(),
        });
    }
}
