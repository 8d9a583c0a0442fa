//! The pictures of a run.

use super::writer::Html;
use crate::result::RunResult;

/// Draws the latencies and the streams over time, with the phases.
pub(super) fn over_time(_html: &mut Html, _result: &RunResult) {}
