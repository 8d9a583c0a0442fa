//! The frames of a server that this program did not start.

use std::time::Duration;

use super::{ArmNow, Frame, Frames, Gauges, PhaseFrame};
use crate::http::Endpoint;

/// Builds the frames of one server that this program did not start, and reads its `/metrics` twice a second meanwhile,
/// for its pool.
pub struct TargetFrames {
    frames: Frames,
    gauges: Gauges,
}

impl TargetFrames {
    /// A run with an end. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(server: &Endpoint) -> Self {
        Self::with(Frames::new(), server)
    }

    /// A run without phases and without an end. Must be called within a tokio runtime.
    #[must_use]
    pub fn endless(server: &Endpoint) -> Self {
        Self::with(Frames::endless(), server)
    }

    fn with(mut frames: Frames, server: &Endpoint) -> Self {
        frames.add(server.to_string(), None, None);
        TargetFrames { frames, gauges: Gauges::start(vec![server.clone()]) }
    }

    /// What the server says of itself.
    #[must_use]
    pub fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// The frame at `now`, since the start of the run, in this phase, if it has phases. The pool is that of the server's own
    /// metrics.
    pub fn at(&mut self, now: Duration, phase: Option<PhaseFrame>, target: ArmNow<'_>) -> &Frame {
        self.frames.update(now, phase);
        self.frames.update_arm(0, now, ArmNow { pool: self.gauges.pool(), ..target });
        self.frames.frame()
    }
}
