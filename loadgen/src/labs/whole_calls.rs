//! A phase of non-streaming calls, shared by several labs: they can hold a thread as streams do, so a repair
//! must cover both.

use std::time::Duration;

use crate::lab::{CallFigure, Calls, Claim, Figure, Phase, ProbeFigure};
use crate::result::Quantile;

const NAME: &str = "whole";

/// More calls than a pool of 40 has threads. Each takes the vendor one second.
pub(super) const SIXTY: [Calls; 1] = [Calls {
    headers: &[("x-mock-tokens", "4"), ("x-mock-ttft", "250ms"), ("x-mock-inter-token", "250ms")],
    ..Calls::whole(60)
}];

/// The phase, for the fix alone. It is measured while the calls are active.
pub(super) const fn phase(calls: &'static [Calls]) -> Phase {
    Phase::new(NAME, "60 calls").only("fixed").calls(calls)
}

/// All calls were answered.
pub(super) const fn answered(calls: f64) -> Claim {
    Claim::exactly(
        calls,
        "non-streaming calls answered",
        Figure::Calls { arm: "fixed", phase: NAME, what: CallFigure::Answered },
    )
}

/// The slowest call took at most `times` the vendor's time, which is a `stream`.
pub(super) const fn longest(times: f64, stream: Duration) -> Claim {
    Claim::at_most(
        times,
        "non-streaming calls, slowest",
        Figure::In { latency: LONGEST, unit: stream, name: "of a stream" },
    )
}

/// Health checks were unaffected: at most `flat` token gaps. The median is judged: the phase is short and
/// begins with as many new connections as calls.
pub(super) const fn health_flat(flat: f64, gap: Duration) -> Claim {
    Claim::at_most(flat, "health-sync p50, non-streaming calls", Figure::gaps(SYNC, gap))
}

const SYNC: &Figure = &Figure::probe("fixed", NAME, "health_sync", ProbeFigure::Latency(Quantile::P50));
const LONGEST: &Figure = &Figure::Calls { arm: "fixed", phase: NAME, what: CallFigure::Latency(Quantile::Max) };
