//! What a load is, for one server.

use std::time::Duration;

use super::{Exchange, Schedule};

/// Requests to one server, and when they are due.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// The request and its client.
    pub exchange: Exchange,
    /// When the requests are due.
    pub schedule: Schedule,
    /// How much later than the load all of them are due.
    pub delay: Duration,
    /// Most requests in all.
    pub requests_max: u64,
    /// Minimum time from one request of a virtual user to the next: a server that answers at once would get thousands
    /// per second.
    pub period: Duration,
    /// Share of the clients that disconnect as they should; the others read their answers to the end.
    pub disconnect_share: f64,
    /// Seed of arrival times, and of the choice of clients that disconnect.
    pub seed: u64,
}

impl LoadPlan {
    /// A load without limits.
    #[must_use]
    pub fn new(exchange: Exchange, schedule: Schedule) -> Self {
        let (delay, requests_max, period) = (Duration::ZERO, u64::MAX, Duration::ZERO);
        LoadPlan { exchange, schedule, delay, requests_max, period, disconnect_share: 1.0, seed: 1 }
    }
}
