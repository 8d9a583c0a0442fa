//! What a session is doing, and what is new in it. Field names are a contract with the playground's page.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::SessionArm;
use crate::live::Frame;

/// What a session is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionState {
    /// Whether an arm is running.
    pub running: bool,
    /// Whether an arm is being started.
    pub starting: bool,
    /// The mistake of broken-server, now or at its next start.
    pub mistake: String,
    /// Streams that each running arm holds.
    pub streams: u32,
    /// The arms.
    pub arms: BTreeMap<SessionArm, ArmState>,
    /// The single streams.
    pub singles: SinglesState,
    /// What everybody should know, such as that the session has closed its streams by itself.
    pub notice: Option<String>,
}

/// What an arm is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArmState {
    /// Whether its programs are being started.
    pub starting: bool,
    /// Whether they run.
    pub running: bool,
    /// URL of its server, if it runs.
    pub url: Option<String>,
    /// URL of its vendor, if it runs.
    pub vendor: Option<String>,
    /// The command line of its server, if it runs.
    pub program: Option<String>,
    /// Why it does not run although it should: it did not start, or it has ended.
    pub error: Option<String>,
}

/// Whether there are single streams, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SinglesState {
    /// The arm that they are sent to.
    pub arm: SessionArm,
    /// Whether they are to be open. They begin when the arm runs.
    pub on: bool,
}

/// What is new in a session.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum SessionEvent {
    /// It does something else.
    State(SessionState),
    /// It looks like this, with those rows alone that are new or have changed.
    Frame(#[serde(serialize_with = "as_frame")] Arc<Frame>),
    /// A single stream has received a token.
    Token {
        /// The stream, from 0.
        stream: usize,
        /// The text of the token.
        text: String,
    },
    /// A single stream is in another state.
    Stream {
        /// The stream, from 0.
        stream: usize,
        /// Its state.
        state: SingleState,
        /// Why it failed.
        reason: Option<String>,
    },
    /// A health check by hand.
    Check {
        /// The arm.
        arm: SessionArm,
        /// Its number.
        id: u64,
        /// Its state.
        state: CheckState,
        /// Time since it was sent.
        ms: f64,
        /// Why it failed.
        reason: Option<String>,
    },
}

fn as_frame<S: Serializer>(frame: &Arc<Frame>, serializer: S) -> Result<S::Ok, S::Error> {
    Frame::serialize(frame, serializer)
}

impl SessionEvent {
    /// Its name among server-sent events.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            SessionEvent::State(_) => "state",
            SessionEvent::Frame(_) => "frame",
            SessionEvent::Token { .. } => "token",
            SessionEvent::Stream { .. } => "stream",
            SessionEvent::Check { .. } => "check",
        }
    }
}

/// The state of a single stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SingleState {
    /// It has not been requested.
    #[default]
    Idle,
    /// It has been requested and is not answered.
    Waiting,
    /// It has been answered with a 2xx, and is not complete.
    Open,
    /// It is complete. Another one follows in its place.
    Done,
    /// It was rejected, failed, or broke off. Another one follows in its place.
    Failed,
}

/// A single stream, as far as it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SingleStream {
    /// Its state.
    pub state: SingleState,
    /// Its text so far.
    pub text: String,
    /// Why it failed.
    pub reason: Option<String>,
}

impl SingleStream {
    /// Whether it is open at the server.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, SingleState::Waiting | SingleState::Open)
    }
}

/// The state of a health check by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// No answer yet.
    Waiting,
    /// Answered with a 2xx.
    Answered,
    /// No answer within ten seconds.
    TimedOut,
    /// No connection, or another status.
    Failed,
}
