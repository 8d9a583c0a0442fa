//! What a load is, for one server.

use std::sync::Arc;
use std::time::Duration;

use super::{BodyTemplate, Exchange, Schedule};
use crate::http::Endpoint;
use crate::measure::StreamLog;

/// Requests to one server, and when they are due.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// The request and its client.
    pub exchange: Exchange,
    /// What takes the place of the body of the request, if the requests differ.
    pub template: Option<Arc<BodyTemplate>>,
    /// Servers that the requests go to in turn, in place of that of `exchange`, if there are several. Those of each are
    /// counted in its log, a part of the load's.
    pub targets: Vec<(Endpoint, Arc<StreamLog>)>,
    /// When the requests are due.
    pub schedule: Schedule,
    /// How much later than the load all of them are due.
    pub delay: Duration,
    /// Most requests in all.
    pub requests_max: u64,
    /// Most requests of a rate without an answer: one that is due beyond that is dropped. No limit if `None`.
    pub in_flight_max: Option<u32>,
    /// The beginning of the load, if that is counted by itself.
    pub warm_up: Option<WarmUp>,
    /// Minimum time from one request of a virtual user to the next: a server that answers at once would get thousands
    /// per second.
    pub period: Duration,
    /// Share of the clients that disconnect as they should; the others read their answers to the end.
    pub disconnect_share: f64,
    /// Seed of arrival times, and of the choice of clients that disconnect.
    pub seed: u64,
}

/// The beginning of a load, whose requests are sent like the others and counted elsewhere.
#[derive(Debug, Clone)]
pub struct WarmUp {
    /// How long it takes, from when the first request may be due.
    pub takes: Duration,
    /// Where the requests are counted that are due in it.
    pub log: Arc<StreamLog>,
}

impl LoadPlan {
    /// A load without limits.
    #[must_use]
    pub fn new(exchange: Exchange, schedule: Schedule) -> Self {
        LoadPlan {
            exchange,
            template: None,
            targets: Vec::new(),
            schedule,
            delay: Duration::ZERO,
            requests_max: u64::MAX,
            in_flight_max: None,
            warm_up: None,
            period: Duration::ZERO,
            disconnect_share: 1.0,
            seed: 1,
        }
    }
}
