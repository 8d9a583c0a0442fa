//! What labs share that ask a mended server for whole answers too: a stream is one of two ways to keep a
//! thread, and a repair that leaves the other is none.

use std::time::Duration;

use crate::lab::{CallFigure, Calls, Claim, Figure, Phase, ProbeFigure};
use crate::result::Quantile;

const NAME: &str = "whole";

/// More calls than a pool of the source's size has threads. Each takes the vendor a second.
pub(super) const SIXTY: [Calls; 1] = [Calls {
    headers: &[("x-mock-tokens", "4"), ("x-mock-ttft", "250ms"), ("x-mock-inter-token", "250ms")],
    ..Calls::whole(60)
}];

/// The phase, for the fix alone. It is measured while the calls are under way.
pub(super) const fn phase(calls: &'static [Calls]) -> Phase {
    Phase::new(NAME, "60 calls").only("fixed").calls(calls)
}

/// All of them were answered.
pub(super) const fn answered(calls: f64) -> Claim {
    Claim::exactly(calls, "whole answers", Figure::Calls { arm: "fixed", phase: NAME, what: CallFigure::Answered })
}

/// None took longer than `times` as long as the vendor, which takes a `stream`.
pub(super) const fn longest(times: f64, stream: Duration) -> Claim {
    Claim::at_most(
        times,
        "whole answers, the longest",
        Figure::In { latency: LONGEST, unit: stream, name: "of a stream" },
    )
}

/// Health checks were as fast as idle meanwhile: at most `flat` of a token `gap`. Half of them: the phase is
/// short, and begins with as many connections as calls.
pub(super) const fn health_flat(flat: f64, gap: Duration) -> Claim {
    Claim::at_most(flat, "health-sync p50, whole answers", Figure::gaps(SYNC, gap))
}

const SYNC: &Figure = &Figure::probe("fixed", NAME, "health_sync", ProbeFigure::Latency(Quantile::P50));
const LONGEST: &Figure = &Figure::Calls { arm: "fixed", phase: NAME, what: CallFigure::Latency(Quantile::Max) };
