//! The frames of a server that this program did not start.

use std::time::Duration;

use super::{ArmNow, Frame, Frames, Gauges, Plan};
use crate::http::Endpoint;

/// Builds the frames of one server that this program did not start, and reads its `/metrics` twice a second meanwhile,
/// for its pool.
pub struct TargetFrames {
    plan: Plan,
    frames: Frames,
    gauges: Gauges,
}

impl TargetFrames {
    /// A run of these phases. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(server: &Endpoint, plan: Plan) -> Self {
        Self::with(Frames::new(), server, plan)
    }

    /// A run without phases and without an end. Must be called within a tokio runtime.
    #[must_use]
    pub fn endless(server: &Endpoint) -> Self {
        Self::with(Frames::endless(), server, Plan::default())
    }

    fn with(mut frames: Frames, server: &Endpoint, plan: Plan) -> Self {
        frames.add(server.to_string(), None, None);
        TargetFrames { plan, frames, gauges: Gauges::start(vec![server.clone()]) }
    }

    /// What the server says of itself.
    #[must_use]
    pub fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// The frame at `now`, since the start of the run, in the phase with this index, which began at this time. The pool is
    /// that of the server's own metrics.
    pub fn at(&mut self, now: Duration, phase: Option<(usize, Duration)>, target: ArmNow<'_>) -> &Frame {
        self.frames.update(now, phase.and_then(|(index, began)| self.plan.at(index, began, now)));
        self.frames.update_arm(0, now, ArmNow { pool: self.gauges.pool(), ..target });
        self.frames.frame()
    }
}
