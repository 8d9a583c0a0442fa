//! Actions: what a lab does to the programs of an arm, at a time inside a phase.

use std::time::Duration;

use process::Signal;

/// Something that is done to a program of an arm.
#[derive(Debug, Clone)]
pub struct Action {
    /// When, from the start of its phase: at zero before the loads start, later while they run.
    pub at: Duration,
    /// What is done.
    pub what: What,
    /// The only arm that gets it, by its own name; all arms if `None`.
    pub only: Option<String>,
}

/// What an action does.
#[derive(Debug, Clone)]
pub enum What {
    /// A request, which must be answered 2xx.
    Call {
        /// To this program.
        target: ActionTarget,
        /// `PUT`, `POST`.
        method: &'static str,
        /// `/debug/rollout`.
        path: String,
        /// The JSON body.
        body: String,
    },
    /// Faults of the vendor, in its fault language, in place of those that it has; none to make it well again.
    Faults(Vec<String>),
    /// A signal to the server's process, also to the only replica. Once it was asked to end, the arm's run goes on without it.
    Signal(Signal),
}

/// The program that a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionTarget {
    /// The server.
    Server,
    /// Its vendor.
    Vendor,
}

impl Action {
    fn new(what: What) -> Self {
        Action { at: Duration::ZERO, what, only: None }
    }

    /// A request to the server.
    #[must_use]
    pub fn call(method: &'static str, path: impl Into<String>, body: impl Into<String>) -> Self {
        Self::new(What::Call { target: ActionTarget::Server, method, path: path.into(), body: body.into() })
    }

    /// Faults of the vendor: `hang`, `status=503;rate=0.3`. They replace those that it has; none of them makes it well
    /// again.
    #[must_use]
    pub fn faults(faults: &[&str]) -> Self {
        Self::new(What::Faults(faults.iter().map(|fault| (*fault).to_owned()).collect()))
    }

    /// A signal to the server's process.
    #[must_use]
    pub fn signal(signal: Signal) -> Self {
        Self::new(What::Signal(signal))
    }

    /// At this time from the start of its phase.
    #[must_use]
    pub fn at(self, at: Duration) -> Self {
        Action { at, ..self }
    }

    /// For this arm alone, by its own name.
    #[must_use]
    pub fn only(self, arm: impl Into<String>) -> Self {
        Action { only: Some(arm.into()), ..self }
    }

    /// Whether the arm of this name gets it.
    #[must_use]
    pub fn is_for(&self, arm: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == arm)
    }

    /// Whether the vendor may fail from then on.
    #[must_use]
    pub(super) fn disturbs_vendor(&self) -> bool {
        match &self.what {
            What::Call { target, .. } => *target == ActionTarget::Vendor,
            What::Faults(faults) => !faults.is_empty(),
            What::Signal(_) => false,
        }
    }
}
