//! The screen of a command: a dashboard on it, with the keys that every command has.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ratatui_core::terminal::Frame;
use tokio_util::task::AbortOnDropHandle;

use crate::dashboard::{Key, Look};
use crate::report::{self, Terminal};
use crate::screen::{KeyCode, Screen};

/// What ends a command. Stated on every dashboard.
const STOP: &str = "q";
/// What turns the pages of what does not fit.
const PAGES: Key = Key { key: "Tab", does: "next page" };

/// A screen that a command has taken. Dropped, it is given back.
pub(super) struct Stage {
    screen: Screen,
    terminal: Terminal,
    look: Look,
    page: Arc<AtomicUsize>,
    has_said_why: Cell<bool>,
    _keys: AbortOnDropHandle<()>,
}

impl Stage {
    /// Takes the screen, if `wanted` and there is one for a dashboard. Where that may surprise, it says why not.
    pub(super) fn open(title: &str, wanted: bool, terminal: &Terminal) -> Option<Self> {
        if !wanted {
            return None;
        }
        let (screen, mut keys) = match Screen::take(terminal) {
            Ok(taken) => taken,
            Err(why) => {
                if why.is_surprising() {
                    terminal.line(report::wrap("  ", &format!("A line per second instead of the dashboard: {why}.")));
                    terminal.line("");
                }
                return None;
            }
        };
        let page = Arc::new(AtomicUsize::new(0));
        let turned = page.clone();
        let keys = tokio::spawn(async move {
            while let Some(key) = keys.recv().await {
                if key.code == KeyCode::Tab {
                    turned.fetch_add(1, Relaxed);
                }
            }
        });
        let stop = vec![Key { key: STOP, does: "stop, without a verdict" }];
        let look = Look { title: title.to_owned(), colour: terminal.has_colour(), keys: stop, ..Look::default() };
        let terminal = terminal.clone();
        let (has_said_why, _keys) = (Cell::new(false), AbortOnDropHandle::new(keys));
        Some(Stage { screen, terminal, look, page, has_said_why, _keys })
    }

    /// For a command that sends nothing but probes, and has no verdict.
    pub(super) fn of_probes_only(mut self) -> Self {
        (self.look.probes_only, self.look.keys) = (true, vec![Key { key: STOP, does: "stop" }]);
        self
    }

    /// Shows what `draw` draws from now on. `pages` says whether there may be more than fits.
    pub(super) fn show(&self, pages: bool, draw: impl Fn(&mut Frame<'_>, &Look) + Send + 'static) {
        let (mut look, page) = (self.look.clone(), self.page.clone());
        look.keys.extend(pages.then_some(PAGES));
        self.screen.show(move |screen| {
            look.page = page.load(Relaxed);
            draw(screen, &look);
        });
    }

    /// Whether the dashboard is still on the screen. If it has ended by itself, it says so, once.
    pub(super) fn is_on(&self) -> bool {
        let Some(why) = self.screen.failure() else { return true };
        if !self.has_said_why.replace(true) {
            let what = format!("The dashboard has ended ({why}). A line per second from here on.");
            self.terminal.line(report::wrap("  ", &what));
        }
        false
    }
}
