//! What a session has found so far: for each server that was started, how many streams it had, and whether its health
//! check collapsed.

use serde::Serialize;

use super::SessionArm;
use crate::live::ArmFrame;
use crate::numbers::count;
use crate::result::Collapse;

/// What was found of one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Its arm.
    pub arm: SessionArm,
    /// Its mistake, if it is broken-server.
    pub mistake: Option<String>,
    /// The most streams that were open at once.
    pub streams_max: u64,
    /// When its health check collapsed, if it did.
    pub collapse: Option<Collapse>,
}

impl Found {
    /// A server of which nothing is known yet.
    pub(super) fn begin(arm: SessionArm, mistake: Option<String>) -> Self {
        Found { arm, mistake, streams_max: 0, collapse: None }
    }

    /// Adds what `frame` shows.
    pub(super) fn see(&mut self, frame: &ArmFrame) {
        self.streams_max = self.streams_max.max(frame.streams_active);
        self.collapse = self.collapse.take().or_else(|| frame.collapse.clone());
    }

    /// In a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let server = match &self.mistake {
            Some(mistake) => format!("{}-server with {mistake}", self.arm),
            None => format!("{}-server", self.arm),
        };
        let streams = match self.streams_max {
            1 => "1 stream".to_owned(),
            streams => format!("{} streams", count(streams)),
        };
        let health = match &self.collapse {
            None => "its health checks did not collapse".to_owned(),
            Some(Collapse { probe, streams_to: 0, .. }) => format!("{probe} collapsed with no stream open"),
            Some(Collapse { probe, label, streams_from, streams_to, .. }) => {
                let the = if streams_from == streams_to { "the " } else { "" };
                format!("{probe} collapsed at {the}{label}")
            }
        };
        format!("{server}, up to {streams}: {health}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collapse(streams_from: u64, streams_to: u64, label: &str) -> Option<Collapse> {
        let (t_ms, probe, label) = (0.0, "health_sync".to_owned(), label.to_owned());
        Some(Collapse { t_ms, probe, streams_from, streams_to, label })
    }

    #[test]
    fn the_most_streams_and_the_first_collapse_are_kept() {
        let mut found = Found::begin(SessionArm::Broken, Some("pool-exhaustion".to_owned()));
        for (streams_active, collapse) in [(39, None), (45, collapse(40, 40, "40th stream")), (2, None)] {
            found.see(&ArmFrame { streams_active, collapse, ..ArmFrame::default() });
        }
        let sentence =
            "broken-server with pool-exhaustion, up to 45 streams: health_sync collapsed at the 40th stream.";
        assert_eq!(found.sentence(), sentence);
        found.collapse = collapse(39, 47, "39 to 47 streams");
        assert!(found.sentence().ends_with("collapsed at 39 to 47 streams."), "{}", found.sentence());
        let mut fixed = Found::begin(SessionArm::Fixed, None);
        fixed.see(&ArmFrame { streams_active: 1, ..ArmFrame::default() });
        assert_eq!(fixed.sentence(), "fixed-server, up to 1 stream: its health checks did not collapse.");
    }
}
