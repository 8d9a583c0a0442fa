//! Adds the runs of several machines, as if one generator had made their load. Counts are added, and percentiles are
//! those of the joined histograms, as exact as those of one run: an average of percentiles is the percentile of nothing.
//!
//! Merging is associative: what was merged can be merged with more.

mod alike;
mod error;
mod joined;
mod latencies;
mod part;
mod probes;
mod streams;
#[cfg(test)]
mod tests;
mod timeline;
mod whole;

use crate::comparison::NamedRun;
use crate::result::RunResult;
use part::Part;

pub use error::MergeError;

/// The result of these runs together, with its verdict. Its `command_line` is left open.
///
/// # Errors
/// The first reason why they are not one load: files that cannot be merged, or that differ in what they did.
pub fn merge(runs: Vec<NamedRun>) -> Result<RunResult, MergeError> {
    let parts = runs.into_iter().map(Part::new).collect::<Result<Vec<_>, _>>()?;
    alike::check(&parts)?;
    let mut parts = parts.into_iter();
    let first = parts.next().ok_or(MergeError::Nothing)?;
    whole::whole(parts.try_fold(first, joined::joined)?)
}
