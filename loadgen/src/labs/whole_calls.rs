//! A phase of non-streaming calls, shared by several labs: they can hold a thread as streams do, so a repair
//! must cover both.

use std::time::Duration;

use super::common::{GAP, flat, millis};
use crate::lab::{Claim, Load, Phase, Place, RequestFigure, at};
use crate::result::Quantile;

/// More calls than a pool of 40 has threads.
const CALLS: u32 = 60;

/// The phase, for the fix alone. It is measured while the calls are active: each takes the vendor one second.
pub(super) fn phase() -> Phase {
    let calls = Load::calls(CALLS).tokens(4).ttft(GAP).inter_token(GAP);
    Phase::new("whole", format!("{CALLS} calls")).only("fixed").adds(calls).hold(millis(900))
}

/// All calls were answered.
pub(super) fn answered() -> Claim {
    Claim::exactly(CALLS, "non-streaming calls answered", here().calls(RequestFigure::Completed))
}

/// Health checks were unaffected. The median is judged: the phase is short and begins with as many new connections as
/// calls.
pub(super) fn health_flat() -> Claim {
    flat("health-sync p50, non-streaming calls", here().p50("health_sync"))
}

/// The slowest call took at most `times` the vendor's time, which is a `stream`.
pub(super) fn longest(times: f64, stream: Duration) -> Claim {
    let longest = here().calls(RequestFigure::Latency(Quantile::Max)).in_units_of(stream, "of a stream");
    Claim::at_most(times, "non-streaming calls, slowest", longest)
}

fn here() -> Place {
    at("fixed", "whole")
}
