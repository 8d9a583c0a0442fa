//! Phases of a lab.

use std::time::Duration;

/// The phase without load.
pub const BASELINE: &str = "baseline";
/// The phase under load whose probes represent the lab.
pub const LOADED: &str = "loaded";

/// A step of a lab: it adds load, waits, then measures.
#[derive(Debug)]
pub struct Phase {
    /// Its name in the result.
    pub name: &'static str,
    /// Its title in output.
    pub title: &'static str,
    /// The only arm that has it; all arms if `None`.
    pub only: Option<&'static str>,
    /// Whether it only shows the mistake, so that a repair does not get it.
    pub of_mistake: bool,
    /// Requests to the programs before its streams start.
    pub actions: &'static [Action],
    /// Streams that it adds to the open ones.
    pub loads: &'static [Load],
    /// Non-streaming calls that it makes, all at once at its start.
    pub calls: &'static [Calls],
    /// Time over which the streams are added.
    pub ramp: Duration,
    /// Wait after the ramp, until the load has its effect.
    pub settle: Duration,
    /// Duration of the measurement.
    pub hold: Duration,
}

impl Phase {
    /// A phase for all arms without load and without duration.
    #[must_use]
    pub const fn new(name: &'static str, title: &'static str) -> Self {
        let none = Duration::ZERO;
        let (actions, loads, calls) = (&[], &[], &[]);
        Phase {
            name,
            title,
            only: None,
            of_mistake: false,
            actions,
            loads,
            calls,
            ramp: none,
            settle: none,
            hold: none,
        }
    }

    /// For this arm alone.
    #[must_use]
    pub const fn only(self, arm: &'static str) -> Self {
        Phase { only: Some(arm), ..self }
    }

    /// Only to show the mistake: not for a repair.
    #[must_use]
    pub const fn of_mistake(self) -> Self {
        Phase { of_mistake: true, ..self }
    }

    /// With these requests before its streams start.
    #[must_use]
    pub const fn actions(self, actions: &'static [Action]) -> Self {
        Phase { actions, ..self }
    }

    /// With these streams, opened over `ramp`.
    #[must_use]
    pub const fn adds(self, loads: &'static [Load], ramp: Duration) -> Self {
        Phase { loads, ramp, ..self }
    }

    /// With these non-streaming calls at its start.
    #[must_use]
    pub const fn calls(self, calls: &'static [Calls]) -> Self {
        Phase { calls, ..self }
    }

    /// Measured only after this wait.
    #[must_use]
    pub const fn settle(self, settle: Duration) -> Self {
        Phase { settle, ..self }
    }

    /// Measured for this long.
    #[must_use]
    pub const fn hold(self, hold: Duration) -> Self {
        Phase { hold, ..self }
    }

    /// Whether the arm judged as `judged_as` has it.
    #[must_use]
    pub fn is_for(&self, judged_as: &str) -> bool {
        self.only.is_none_or(|only| only == judged_as)
    }

    /// Its duration.
    #[must_use]
    pub fn takes(&self) -> Duration {
        self.ramp + self.settle + self.hold
    }

    /// Streams that it adds.
    #[must_use]
    pub fn streams(&self) -> u32 {
        self.loads.iter().map(|load| load.streams).sum()
    }

    /// Non-streaming calls that it makes.
    #[must_use]
    pub fn whole_calls(&self) -> u32 {
        self.calls.iter().map(|calls| calls.count).sum()
    }
}

/// Some streams of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Number of streams.
    pub streams: u32,
    /// Tokens per stream, if not the vendor's default.
    pub tokens: Option<u32>,
    /// Time to the first token, if not the vendor's default.
    pub ttft: Option<Duration>,
    /// Time between two tokens, if not the vendor's default.
    pub inter_token: Option<Duration>,
    /// Time after which each client disconnects, from when its stream was due.
    pub disconnect_after: Option<Duration>,
}

impl Load {
    /// Streams with the vendor's defaults, read to their end.
    #[must_use]
    pub const fn of(streams: u32) -> Self {
        Load { streams, tokens: None, ttft: None, inter_token: None, disconnect_after: None }
    }

    /// The headers that set these values at the vendor.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let millis = |delay: Duration| format!("{}ms", delay.as_millis());
        let headers = [
            ("x-mock-tokens", self.tokens.map(|tokens| tokens.to_string())),
            ("x-mock-ttft", self.ttft.map(millis)),
            ("x-mock-inter-token", self.inter_token.map(millis)),
        ];
        headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// Non-streaming calls.
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    /// Number of calls, all at once.
    pub count: u32,
    /// `GET`, `POST`.
    pub method: &'static str,
    /// `/llm`, `/health`.
    pub path: &'static str,
    /// The JSON body; empty for none.
    pub body: &'static str,
    /// Headers of the requests, such as `x-mock-tokens`.
    pub headers: &'static [(&'static str, &'static str)],
    /// Time after which each client disconnects, if it does.
    pub disconnect_after: Option<Duration>,
}

impl Calls {
    /// Calls to `/llm`, which the vendor answers.
    #[must_use]
    pub const fn whole(count: u32) -> Self {
        let body = crate::traffic::CHAT;
        Calls { count, method: "POST", path: "/llm", body, headers: &[], disconnect_after: None }
    }

    /// Requests that the server answers by itself.
    #[must_use]
    pub const fn get(count: u32, path: &'static str) -> Self {
        Calls { count, method: "GET", path, body: "", headers: &[], disconnect_after: None }
    }
}

/// A request to one of an arm's programs, which must be answered 2xx.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// The program.
    pub target: ActionTarget,
    /// `PUT`, `POST`.
    pub method: &'static str,
    /// `/debug/rollout`.
    pub path: &'static str,
    /// The JSON body.
    pub body: &'static str,
    /// The only arm that gets it, by its own name; all arms if `None`.
    pub only: Option<&'static str>,
}

/// The program that an action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionTarget {
    /// The server.
    Server,
    /// Its vendor.
    Vendor,
}
