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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::sync::broadcast;

    use super::super::pages::Pages;
    use super::*;
    use crate::live::Frame;
    use crate::session::{SINGLES, SessionArm, SingleState, SingleStream, SinglesState};

    /// Events that a page may be behind.
    const BEHIND: usize = 4;

    fn state(streams: u32) -> SessionState {
        SessionState {
            running: false,
            starting: false,
            mistake: "none".into(),
            streams,
            arms: BTreeMap::new(),
            singles: SinglesState { arm: SessionArm::Broken, on: false },
            notice: None,
        }
    }

    fn page(pages: &Pages, session: &broadcast::Sender<SessionEvent>) -> PageEvents {
        let mut singles: [SingleStream; SINGLES] = Default::default();
        singles[1] = SingleStream { state: SingleState::Open, text: "Once\n\nupon".into(), reason: None };
        let listening = Listening { state: state(0), frame: Frame::default(), singles, events: session.subscribe() };
        PageEvents::new(pages.open().unwrap(), listening)
    }

    #[tokio::test]
    async fn a_page_begins_with_all_that_is_shown_and_goes_on_with_what_is_new() {
        let (pages, session) = (Pages::default(), broadcast::Sender::new(BEHIND));
        let mut events = page(&pages, &session);
        let first = events.next().await.unwrap();
        let events_of_first: Vec<_> = first.split_terminator("\n\n").collect();
        assert_eq!(events_of_first[0], "retry: 1000");
        assert!(events_of_first[1].starts_with("event: state\ndata: {\"running\":false"), "{first}");
        assert!(events_of_first[1].ends_with("\"pages\":{\"open\":1,\"dropped\":0}}"), "{first}");
        assert!(events_of_first[2].starts_with("event: frame\ndata: {\"full\":true,\"t_ms\":0.0"), "{first}");
        let of_stream = [
            "event: stream\ndata: {\"stream\":1,\"state\":\"waiting\",\"reason\":null}",
            "event: token\ndata: {\"stream\":1,\"text\":\"Once\\n\\nupon\"}",
            "event: stream\ndata: {\"stream\":1,\"state\":\"open\",\"reason\":null}",
        ];
        assert_eq!(events_of_first[3..], of_stream);

        session.send(SessionEvent::State(state(45))).unwrap();
        assert!(events.next().await.unwrap().contains("\"streams\":45"));
        let other = page(&pages, &session);
        let counted = events.next().await.unwrap();
        assert!(counted.contains("\"streams\":45") && counted.contains("\"open\":2"), "{counted}");
        drop(other);
        assert!(events.next().await.unwrap().contains("\"open\":1"));
        drop(session);
        assert_eq!(events.next().await, None, "the session is over");
    }

    #[tokio::test]
    async fn a_page_that_does_not_read_is_counted_and_its_events_end_and_no_other_page_misses_any() {
        let (pages, session) = (Pages::default(), broadcast::Sender::new(BEHIND));
        let (mut slow, mut fast) = (page(&pages, &session), page(&pages, &session));
        slow.next().await.unwrap();
        fast.next().await.unwrap();
        for streams in 1..=2 * BEHIND as u32 {
            session.send(SessionEvent::State(state(streams))).unwrap();
            while !fast.next().await.unwrap().contains(&format!("\"streams\":{streams},")) {}
        }
        assert_eq!(slow.next().await, None);
        drop(slow);
        assert!(fast.next().await.unwrap().contains("\"pages\":{\"open\":1,\"dropped\":1}"));
    }
}
