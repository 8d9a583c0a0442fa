//! How often something happened for each request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Quantile;

/// How many requests it happened for how often: `{"1": 190, "3": 10}` is once for 190 requests and three times for ten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PerRequest(BTreeMap<u64, u64>);

impl PerRequest {
    /// Of these counts, one a request.
    #[must_use]
    pub fn of(counts: impl IntoIterator<Item = u64>) -> Self {
        let mut requests = BTreeMap::new();
        counts.into_iter().for_each(|count| *requests.entry(count).or_default() += 1);
        PerRequest(requests)
    }

    /// The number of requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.values().sum()
    }

    /// The mean; `None` without a request.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let total: u64 = self.0.iter().map(|(count, requests)| count * requests).sum();
        (self.requests() > 0).then(|| total as f64 / self.requests() as f64)
    }

    /// The smallest count; `None` without a request.
    #[must_use]
    pub fn least(&self) -> Option<u64> {
        self.0.keys().next().copied()
    }

    /// A quantile, exact; `None` without a request.
    #[must_use]
    pub fn at(&self, quantile: Quantile) -> Option<u64> {
        let rank = quantile.rank(self.requests());
        let mut below = 0;
        self.0.iter().find_map(|(count, requests)| {
            below += requests;
            (below >= rank).then_some(*count)
        })
    }

    /// Requests for which it happened more than `count` times.
    #[must_use]
    pub fn over(&self, count: u64) -> u64 {
        self.0.iter().filter(|(often, _)| **often > count).map(|(_, requests)| requests).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summarised_exactly() {
        let seen = PerRequest::of([1, 9, 1, 1, 1, 1, 1, 1, 1, 3]);
        assert_eq!((seen.requests(), seen.mean(), seen.least()), (10, Some(2.0), Some(1)));
        let at = [Quantile::P50, Quantile::P90, Quantile::P99, Quantile::Max].map(|quantile| seen.at(quantile));
        assert_eq!(at, [1, 3, 9, 9].map(Some));
        assert_eq!([0, 1, 2, 3, 9].map(|count| seen.over(count)), [10, 2, 2, 1, 0]);
        let none = PerRequest::of([]);
        assert_eq!((none.mean(), none.least(), none.at(Quantile::Max), none.over(0)), (None, None, None, 0));
    }

    #[test]
    fn it_is_read_back_from_a_result_file() {
        let seen = PerRequest::of([1, 1, 3]);
        let json = serde_json::to_string(&seen).expect("it is JSON");
        assert_eq!(json, r#"{"1":2,"3":1}"#);
        assert_eq!(serde_json::from_str::<PerRequest>(&json).expect("it was written so"), seen);
    }
}
