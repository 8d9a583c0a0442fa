//! Figures of how often something happened for each request.

use crate::result::{PerRequest, Quantile};

/// A figure of how often something happened for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerRequestFigure {
    /// The smallest count.
    Least,
    /// The mean.
    Mean,
    /// A quantile.
    At(Quantile),
    /// How many requests have more than this.
    Over(u64),
}

impl PerRequestFigure {
    /// Its value; `None` without a request.
    pub(super) fn of(self, counts: &PerRequest) -> Option<f64> {
        match self {
            PerRequestFigure::Least => counts.least().map(|count| count as f64),
            PerRequestFigure::Mean => counts.mean(),
            PerRequestFigure::At(quantile) => counts.at(quantile).map(|count| count as f64),
            PerRequestFigure::Over(count) => (counts.requests() > 0).then(|| counts.over(count) as f64),
        }
    }
}
