//! What happens, in order.

use std::time::Duration;

/// The phase in which nothing is open.
pub const BASELINE: &str = "baseline";
/// The phase whose probes stand for the lab.
pub const LOADED: &str = "loaded";

/// A stretch of a lab: some more streams, then a while in which is measured.
#[derive(Debug)]
pub struct Phase {
    /// Its name in the result.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The arm that alone goes through it; all arms when none is named.
    pub only: Option<&'static str>,
    /// Whether it shows the mistake and nothing else, so that a mended server does not go through it.
    pub of_mistake: bool,
    /// What is told to the programs before its streams begin.
    pub actions: &'static [Action],
    /// Streams that it adds to those that are open.
    pub loads: &'static [Load],
    /// Whole calls that it makes, all at once when it begins.
    pub calls: &'static [Calls],
    /// Over how long it adds them.
    pub ramp: Duration,
    /// How long is waited after that, until what they cause is there.
    pub settle: Duration,
    /// How long is measured then.
    pub hold: Duration,
}

impl Phase {
    /// A phase for all arms that adds nothing and takes no time yet.
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

    /// To show the mistake: not for a server that is mended.
    #[must_use]
    pub const fn of_mistake(self) -> Self {
        Phase { of_mistake: true, ..self }
    }

    /// With these calls before its streams begin.
    #[must_use]
    pub const fn actions(self, actions: &'static [Action]) -> Self {
        Phase { actions, ..self }
    }

    /// With these streams, begun over `ramp`.
    #[must_use]
    pub const fn adds(self, loads: &'static [Load], ramp: Duration) -> Self {
        Phase { loads, ramp, ..self }
    }

    /// With these whole calls when it begins.
    #[must_use]
    pub const fn calls(self, calls: &'static [Calls]) -> Self {
        Phase { calls, ..self }
    }

    /// Measured only after so long.
    #[must_use]
    pub const fn settle(self, settle: Duration) -> Self {
        Phase { settle, ..self }
    }

    /// Measured for so long.
    #[must_use]
    pub const fn hold(self, hold: Duration) -> Self {
        Phase { hold, ..self }
    }

    /// Whether the arm that is judged as `judged_as` goes through it.
    #[must_use]
    pub fn is_for(&self, judged_as: &str) -> bool {
        self.only.is_none_or(|only| only == judged_as)
    }

    /// How long it takes.
    #[must_use]
    pub fn takes(&self) -> Duration {
        self.ramp + self.settle + self.hold
    }

    /// Streams that it adds.
    #[must_use]
    pub fn streams(&self) -> u32 {
        self.loads.iter().map(|load| load.streams).sum()
    }

    /// Whole calls that it makes.
    #[must_use]
    pub fn whole_calls(&self) -> u32 {
        self.calls.iter().map(|calls| calls.count).sum()
    }
}

/// Some streams of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many.
    pub streams: u32,
    /// Their length in tokens, where it is not the vendor's.
    pub tokens: Option<u32>,
    /// Their time to the first token, where it is not the vendor's.
    pub ttft: Option<Duration>,
    /// The time between their tokens, where it is not the vendor's.
    pub inter_token: Option<Duration>,
    /// How long after it was due each client leaves, if it does, whatever it has got by then.
    pub disconnect_after: Option<Duration>,
}

impl Load {
    /// Streams as the vendor makes them, read to their end.
    #[must_use]
    pub const fn of(streams: u32) -> Self {
        Load { streams, tokens: None, ttft: None, inter_token: None, disconnect_after: None }
    }

    /// What the streams' requests say to the vendor, as headers.
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

/// Calls that are answered in one piece.
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    /// How many, all at once.
    pub count: u32,
    /// `GET`, `POST`.
    pub method: &'static str,
    /// `/llm`, `/health`.
    pub path: &'static str,
    /// The JSON body; none where it is empty.
    pub body: &'static str,
    /// What the requests say to the vendor: `x-mock-tokens`.
    pub headers: &'static [(&'static str, &'static str)],
    /// How long after it was due each client leaves, if it does.
    pub disconnect_after: Option<Duration>,
}

impl Calls {
    /// Whole answers of the vendor's.
    #[must_use]
    pub const fn whole(count: u32) -> Self {
        let body = crate::traffic::StreamPlan::BODY;
        Calls { count, method: "POST", path: "/llm", body, headers: &[], disconnect_after: None }
    }

    /// Questions that the server answers by itself.
    #[must_use]
    pub const fn get(count: u32, path: &'static str) -> Self {
        Calls { count, method: "GET", path, body: "", headers: &[], disconnect_after: None }
    }
}

/// A call to one of an arm's programs, which must be answered with a 2xx.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// To which program.
    pub target: ActionTarget,
    /// `PUT`, `POST`.
    pub method: &'static str,
    /// `/debug/rollout`.
    pub path: &'static str,
    /// The JSON body.
    pub body: &'static str,
    /// The arm that alone gets it, whatever part it plays; all arms when none is named.
    pub only: Option<&'static str>,
}

/// Whom an action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionTarget {
    /// The server.
    Server,
    /// Its vendor.
    Vendor,
}
