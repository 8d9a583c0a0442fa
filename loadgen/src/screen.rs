//! The terminal while a dashboard is on it: the alternate screen, raw mode, no cursor, keys. Whatever ends the
//! dashboard, the terminal is as it was before.

mod job;
mod keys;
mod modes;
mod need;
mod painting;
mod wait;

use std::sync::Arc;
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::report::Terminal;
use painting::{Painting, Shared};

pub use need::{COLUMNS_MIN, NoScreen, ROWS_MIN};
pub use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent};

/// The terminal, taken. Dropped, it is given back.
///
/// A thread of its own draws and reads keys: a terminal that takes its bytes slowly must not hold up a run. Ctrl-C, `q`
/// and Esc become the signal that Ctrl-C is elsewhere, and Ctrl-Z suspends. Lines that are printed meanwhile are kept
/// and printed afterwards.
pub struct Screen {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    terminal: Terminal,
}

impl Screen {
    /// Takes the terminal. Keys that mean nothing to every dashboard come from the receiver.
    ///
    /// # Errors
    /// Why there is no screen for a dashboard. The terminal is as it was then.
    pub fn take(terminal: &Terminal) -> Result<(Self, UnboundedReceiver<KeyEvent>), NoScreen> {
        Self::take_with(terminal, false)
    }

    /// Takes the terminal for a command that acts on `q` and Esc by itself.
    ///
    /// # Errors
    /// As [`Screen::take`].
    pub fn take_with_all_keys(terminal: &Terminal) -> Result<(Self, UnboundedReceiver<KeyEvent>), NoScreen> {
        Self::take_with(terminal, true)
    }

    fn take_with(terminal: &Terminal, has_all_keys: bool) -> Result<(Self, UnboundedReceiver<KeyEvent>), NoScreen> {
        need::check()?;
        modes::enter()?;
        terminal.hold();
        let (sender, keys) = unbounded_channel();
        let shared = Arc::new(Shared::default());
        let painting = Painting { shared: shared.clone(), keys: sender, has_all_keys };
        // Dropped where the thread cannot be started.
        let mut screen = Screen { shared, thread: None, terminal: terminal.clone() };
        screen.thread = Some(thread::Builder::new().name("screen".to_owned()).spawn(move || painting.run())?);
        Ok((screen, keys))
    }

    /// Shows what `painter` draws, now and whenever the screen is resized. If the terminal is slow, the newest wins.
    pub fn show(&self, painter: impl FnMut(&mut ratatui_core::terminal::Frame<'_>) + Send + 'static) {
        self.shared.show(Box::new(painter));
    }

    /// Why the dashboard has ended although nobody asked for it, if it has. The terminal has been given back then, and
    /// lines are printed at once.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let failure = self.shared.failure();
        if failure.is_some() {
            self.terminal.release_held();
        }
        failure
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take().filter(ends_soon) {
            // A panic of the thread has been printed by the hook, and must not become one in a destructor.
            let _ = thread.join();
        }
        self.terminal.release_held();
    }
}

/// Whether the thread has ended within two seconds. If not, it hangs in a terminal that is gone or takes no bytes, and
/// ends with the process: the command must not wait for it.
fn ends_soon(thread: &JoinHandle<()>) -> bool {
    let deadline = Instant::now() + Duration::from_secs(2);
    while !thread.is_finished() && Instant::now() < deadline {
        sleep(Duration::from_millis(2));
    }
    thread.is_finished()
}
