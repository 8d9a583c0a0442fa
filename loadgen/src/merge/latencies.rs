//! Latencies of two files, joined.

use super::MergeError;
use crate::measure::Latencies;
use crate::result::{Histograms, Quantiles};

/// Latencies as they are in a file.
pub(super) struct Recorded<'a> {
    pub(super) file: &'a str,
    /// Their percentiles.
    pub(super) quantiles: Quantiles,
    /// The histograms among which theirs is.
    pub(super) histograms: &'a Histograms,
    /// Among how many the percentiles are, if some of them have no latency.
    pub(super) among: Option<u64>,
}

impl Recorded<'_> {
    /// The latencies whose percentiles are in `field`.
    pub(super) fn read(&self, field: &str) -> Result<Latencies, MergeError> {
        let histogram = self.histograms.get(field);
        let file = self.file.to_owned();
        if histogram.is_none() && self.quantiles.max > 0.0 {
            return Err(MergeError::Older { file, what: format!("histogram of `{field}`") });
        }
        let read = Latencies::decoded(histogram, &self.quantiles, self.among);
        read.map_err(|why| MergeError::Histogram { file, field: field.to_owned(), why })
    }
}

/// The latencies of both, whose percentiles are in `field`.
pub(super) fn joined(field: &str, ours: &Recorded<'_>, theirs: &Recorded<'_>) -> Result<Latencies, MergeError> {
    let mut latencies = ours.read(field)?;
    latencies.merge(&theirs.read(field)?);
    Ok(latencies)
}
