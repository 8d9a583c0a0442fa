//! Figures of the vendor during the measurement of a phase.

use super::{Figure, Place, Source};
use crate::result::{RunResult, Unit, VendorStats};

/// A figure of the vendor during the measurement of a phase, which begins after its ramp. Those of the whole phase are
/// [`LedgerFigure`](super::LedgerFigure)s.
#[derive(Debug, Clone, Copy)]
pub enum VendorFigure {
    /// Peak of active generations, from the start of the run to the end of the phase.
    PeakActive,
    /// Active generations at the end of the phase.
    Active,
    /// Generations started in the measurement, so without those of the ramp.
    Started,
    /// Generations whose client disconnected in the measurement.
    Cancelled,
    /// Tokens handed to the socket in the measurement.
    TokensSent,
    /// Active generations throughout the measurement: the 10th percentile of the samples.
    ActiveThroughout,
    /// Calls that it failed, hung or truncated since the start of the phase, its ramp included.
    Failed,
}

impl Source for VendorFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let phase = place.phase_in(result)?;
        let seen = |count: fn(&VendorStats) -> u64| phase.vendor.as_ref().map(count);
        let count = match self {
            VendorFigure::PeakActive => phase.vendor_peak_active,
            VendorFigure::Active => seen(|vendor| vendor.active),
            VendorFigure::Started => seen(|vendor| vendor.started),
            VendorFigure::Cancelled => seen(|vendor| vendor.cancelled),
            VendorFigure::TokensSent => seen(|vendor| vendor.tokens_sent),
            VendorFigure::ActiveThroughout => phase.vendor_load.map(|load| load.active_throughout),
            VendorFigure::Failed => phase.vendor_load.map(|load| load.failed),
        };
        count.map(|count| count as f64)
    }

    fn unit(&self) -> Unit {
        if matches!(self, VendorFigure::TokensSent) { Unit::TOKENS } else { Unit::CALLS }
    }
}

impl Place {
    /// A figure of the vendor during the measurement of the phase.
    #[must_use]
    pub fn vendor(self, what: VendorFigure) -> Figure {
        Figure::new(self, what)
    }
}
