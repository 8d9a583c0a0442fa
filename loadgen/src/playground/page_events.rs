//! The events of one page.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use super::event::{self, KEEP_ALIVE, RETRY};
use super::pages::OpenPage;
use crate::session::{Listening, SessionEvent, SessionState};

/// Time without an event after which a comment is sent.
const SILENCE: Duration = Duration::from_secs(15);

/// The events of one page: first all that is shown now, then all that is new. The session waits for no page: one that is
/// too far behind is counted, and its events end; its browser asks for them anew.
pub(super) struct PageEvents {
    page: OpenPage,
    state: SessionState,
    news: Receiver<SessionEvent>,
    /// What is shown now, until it is sent.
    first: Option<String>,
}

impl PageEvents {
    /// Those of `page`.
    pub(super) fn new(page: OpenPage, listening: Listening) -> Self {
        let Listening { state, frame, singles, events: news, .. } = listening;
        let pages = *page.counts.borrow();
        let shown = [event::state(&state, pages), event::frame(&frame, true)];
        let singles = singles.iter().enumerate().map(|(stream, single)| event::single(stream, single));
        let first = [RETRY.to_owned()].into_iter().chain(shown).chain(singles).collect();
        PageEvents { page, state, news, first: Some(first) }
    }

    /// The lines of the next event; none when the session is over, or when the page is too far behind.
    pub(super) async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        tokio::select! {
            // A state with new counts is no older than what is new in the session.
            biased;
            news = self.news.recv() => match news {
                Ok(SessionEvent::State(state)) => {
                    self.state = state;
                    Some(self.state())
                }
                Ok(SessionEvent::Frame(frame)) => Some(event::frame(&frame, false)),
                Ok(other) => Some(event::of_session(&other)),
                Err(RecvError::Lagged(_)) => {
                    self.page.is_dropped();
                    None
                }
                Err(RecvError::Closed) => None,
            },
            Ok(()) = self.page.counts.changed() => Some(self.state()),
            () = sleep(SILENCE) => Some(KEEP_ALIVE.to_owned()),
        }
    }

    fn state(&mut self) -> String {
        event::state(&self.state, *self.page.counts.borrow_and_update())
    }
}
