//! Loads: what a phase requests, when, and what its clients do with the answers.

use std::time::Duration;

use crate::traffic::{Client, ExpectedAnswer, Request, Schedule, Step};

/// Some requests of one kind.
#[derive(Debug, Clone)]
pub struct Load {
    /// Its name in the result, unique in its phase.
    pub name: String,
    /// The request; a sequence has its own.
    pub request: Request,
    /// When the requests are due.
    pub schedule: Schedule,
    /// What the clients do with the answers.
    pub client: Client,
}

impl Load {
    /// One request of this kind.
    #[must_use]
    pub fn new(name: impl Into<String>, request: Request) -> Self {
        Load { name: name.into(), request, schedule: Schedule::at_once(1), client: Client::default() }
    }

    /// Streams with the vendor's defaults, all at once and read to their end.
    #[must_use]
    pub fn streams(count: u32) -> Self {
        Load::new("streams", Request::chat()).schedule(Schedule::at_once(count))
    }

    /// Calls that the vendor answers as a whole, all at once.
    #[must_use]
    pub fn calls(count: u32) -> Self {
        Load::new("calls", Request::whole()).schedule(Schedule::at_once(count))
    }

    /// Requests that the server answers by itself, all at once.
    #[must_use]
    pub fn get(count: u32, path: &str) -> Self {
        Load::new("calls", Request::get(path)).schedule(Schedule::at_once(count))
    }

    /// Different requests, one after another.
    #[must_use]
    pub fn sequence(name: impl Into<String>, steps: Vec<Step>) -> Self {
        Load::new(name, Request::whole()).schedule(Schedule::Sequence(steps))
    }

    /// Under another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Load { name: name.into(), ..self }
    }

    /// On this schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Load { schedule, ..self }
    }

    /// As many requests or virtual users as before, started evenly over this time; a rate and a sequence stay as they
    /// are.
    #[must_use]
    pub fn over(self, over: Duration) -> Self {
        let schedule = match self.schedule {
            Schedule::Once { count, .. } => Schedule::Once { count, over },
            Schedule::Concurrency { count, .. } => Schedule::Concurrency { count, over },
            other => other,
        };
        Load { schedule, ..self }
    }

    /// From such clients.
    #[must_use]
    pub fn client(self, client: Client) -> Self {
        Load { client, ..self }
    }

    /// Whose clients disconnect this long after their request was due.
    #[must_use]
    pub fn disconnecting_after(self, after: Duration) -> Self {
        let client = self.client.disconnects_after(after);
        self.client(client)
    }

    /// With this many tokens each, in place of the vendor's default.
    #[must_use]
    pub fn tokens(self, tokens: u32) -> Self {
        self.map(|request| request.tokens(tokens))
    }

    /// With this time to the first token.
    #[must_use]
    pub fn ttft(self, delay: Duration) -> Self {
        self.map(|request| request.ttft(delay))
    }

    /// With this time between two tokens.
    #[must_use]
    pub fn inter_token(self, delay: Duration) -> Self {
        self.map(|request| request.inter_token(delay))
    }

    /// With this fault of the vendor.
    #[must_use]
    pub fn fault(self, fault: &str) -> Self {
        self.map(|request| request.fault(fault))
    }

    /// With this header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.map(|request| request.header(name, value))
    }

    fn map(self, change: impl FnOnce(Request) -> Request) -> Self {
        Load { request: change(self.request), ..self }
    }

    /// Whether its answers are streams.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.request.answer == ExpectedAnswer::Stream
    }

    /// Number of requests or of virtual users; zero for a rate, which has no number.
    #[must_use]
    pub fn requests(&self) -> u32 {
        match &self.schedule {
            Schedule::Once { count, .. } | Schedule::Concurrency { count, .. } => *count,
            Schedule::Bursts { bursts, each, .. } => bursts * each,
            Schedule::Rate { .. } => 0,
            Schedule::Sequence(steps) => u32::try_from(steps.len()).unwrap_or(u32::MAX),
        }
    }
}
