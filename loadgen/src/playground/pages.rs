//! The pages that are open, counted for all of them to see.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

use super::error::PlaygroundError;

/// Pages at the same time.
const PAGES_MAX: usize = 32;

/// How many pages there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct PageCounts {
    /// Those that listen.
    pub(super) open: usize,
    /// Those that did not read what they were sent, and had to begin anew.
    pub(super) dropped: u64,
}

/// The pages that are open.
#[derive(Clone, Default)]
pub(super) struct Pages(Arc<watch::Sender<PageCounts>>);

/// A page that is open, until this is dropped.
pub(super) struct OpenPage {
    pages: Pages,
    /// Changes of the counts.
    pub(super) counts: watch::Receiver<PageCounts>,
}

impl Pages {
    /// Counts one more.
    ///
    /// # Errors
    /// [`PlaygroundError::TooManyPages`].
    pub(super) fn open(&self) -> Result<OpenPage, PlaygroundError> {
        let may_open = self.0.send_if_modified(|counts| {
            let may_open = counts.open < PAGES_MAX;
            counts.open += usize::from(may_open);
            may_open
        });
        if may_open {
            Ok(OpenPage { pages: self.clone(), counts: self.0.subscribe() })
        } else {
            Err(PlaygroundError::TooManyPages(PAGES_MAX))
        }
    }

    /// Counts one that did not read what it was sent.
    pub(super) fn dropped(&self) {
        self.0.send_modify(|counts| counts.dropped += 1);
    }
}

impl OpenPage {
    /// Counts it as one that did not read what it was sent.
    pub(super) fn is_dropped(&self) {
        self.pages.dropped();
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        self.pages.0.send_modify(|counts| counts.open -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_limit_and_closed_pages_make_room() {
        let pages = Pages::default();
        let mut open: Vec<_> = (0..PAGES_MAX).map(|_| pages.open().unwrap()).collect();
        assert!(pages.open().is_err());
        open.pop();
        let last = pages.open().unwrap();
        assert_eq!(*last.counts.borrow(), PageCounts { open: PAGES_MAX, dropped: 0 });
        last.is_dropped();
        drop((open, last));
        assert_eq!(*pages.0.borrow(), PageCounts { open: 0, dropped: 1 });
    }
}
