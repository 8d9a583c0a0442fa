//! The events of a page's stream, as lines.

use serde::Serialize;
use wire::sse;

use super::pages::PageCounts;
use crate::live::Frame;
use crate::session::{SessionEvent, SessionState, SingleState, SingleStream};

/// How long a browser waits before it opens the stream again.
pub(super) const RETRY: &str = "retry: 1000\n\n";
/// A comment: a page whose server is gone notices it.
pub(super) const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// The data of the event `state`.
#[derive(Serialize)]
struct StateEvent<'a> {
    #[serde(flatten)]
    state: &'a SessionState,
    pages: PageCounts,
}

/// The data of the event `frame`.
#[derive(Serialize)]
struct FrameEvent<'a> {
    /// Whether it has all rows that are kept.
    full: bool,
    #[serde(flatten)]
    frame: &'a Frame,
}

/// The event `state`.
pub(super) fn state(state: &SessionState, pages: PageCounts) -> String {
    sse::named("state", &StateEvent { state, pages })
}

/// The event `frame`.
pub(super) fn frame(frame: &Frame, full: bool) -> String {
    sse::named("frame", &FrameEvent { full, frame })
}

/// A single stream, as far as it has come: none if it was never requested.
pub(super) fn single(stream: usize, single: &SingleStream) -> String {
    let event = |state, reason| of_session(&SessionEvent::Stream { stream, state, reason });
    match single.state {
        SingleState::Idle => String::new(),
        state => {
            let text = SessionEvent::Token { stream, text: single.text.clone() };
            event(SingleState::Waiting, None) + &of_session(&text) + &event(state, single.reason.clone())
        }
    }
}

/// Any other event.
pub(super) fn of_session(event: &SessionEvent) -> String {
    sse::named(event.name(), event)
}
