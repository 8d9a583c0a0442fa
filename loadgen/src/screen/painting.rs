//! The thread that draws the screen and reads keys.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ratatui_core::terminal::Frame;
use ratatui_crossterm::CrosstermBackend;
use ratatui_crossterm::crossterm::event::{self, Event, KeyEvent};
use tokio::sync::mpsc::UnboundedSender;

use super::job::{self, Continuation};
use super::keys::{Meaning, meaning};
use super::modes;
use super::modes::FrameWriter;
use super::wait::{self, TerminalGone};

/// How long a new frame may wait for the thread to look. Keys are seen at once.
const LOOK: Duration = Duration::from_millis(40);

/// What draws the screen.
type Painter = Box<dyn FnMut(&mut Frame<'_>) + Send>;
/// The screen as ratatui knows it.
type Drawn = ratatui_core::terminal::Terminal<CrosstermBackend<FrameWriter>>;

/// What the thread and the run share.
#[derive(Default)]
pub(super) struct Shared {
    /// What is to be drawn and has not been.
    next: Mutex<Option<Painter>>,
    /// Whether the run wants no more of it.
    stopped: AtomicBool,
    /// Why it ended by itself.
    failure: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn show(&self, painter: Painter) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(painter);
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fail(&self, why: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    fn next(&self) -> Option<Painter> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The thread's part. Dropped, also by a panic, it gives the terminal back.
pub(super) struct Painting {
    pub(super) shared: Arc<Shared>,
    pub(super) keys: UnboundedSender<KeyEvent>,
    /// Whether the command has keys of its own for its end.
    pub(super) has_all_keys: bool,
}

/// Why the screen ends although the run goes on.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Gone(#[from] TerminalGone),
    #[error("the command continues in the background")]
    Background,
    #[error("a part of this program has panicked")]
    Panic,
}

impl Painting {
    /// Draws until the run wants no more of it.
    pub(super) fn run(self) {
        if let Err(why) = self.draw() {
            modes::leave();
            if matches!(why, Ended::Gone(_)) {
                // As SIGHUP does, which the system sends only where this is the controlling terminal.
                job::interrupt();
            }
            self.shared.fail(why.to_string());
        }
    }

    fn draw(&self) -> Result<(), Ended> {
        let mut screen = new_screen()?;
        let continuation = Continuation::watch()?;
        let mut painter: Option<Painter> = None;
        while !self.shared.stopped.load(Relaxed) {
            let mut is_due = self.read_keys(&mut screen, &continuation)?;
            if continuation.has_continued() {
                // Something else suspended it, and the shell has had the terminal meanwhile.
                modes::leave();
                screen = take_again()?;
                is_due = true;
            }
            if let Some(next) = self.shared.next() {
                (painter, is_due) = (Some(next), true);
            }
            if !modes::is_on() {
                return Err(Ended::Panic);
            }
            if let Some(painter) = painter.as_mut().filter(|_| is_due) {
                screen.draw(|frame| painter(frame))?;
            }
        }
        Ok(())
    }

    /// Waits a moment for keys and acts on them. Returns whether the screen has to be drawn anew.
    fn read_keys(&self, screen: &mut Drawn, continuation: &Continuation) -> Result<bool, Ended> {
        let mut is_due = false;
        wait::for_key(LOOK)?;
        while event::poll(Duration::ZERO)? {
            match event::read()? {
                Event::Key(key) => match meaning(key, self.has_all_keys) {
                    Meaning::Stop => job::interrupt(),
                    Meaning::Suspend => {
                        modes::leave();
                        continuation.suspend();
                        *screen = take_again()?;
                        is_due = true;
                    }
                    Meaning::Redraw => {
                        screen.clear()?;
                        is_due = true;
                    }
                    // A command that has no keys of its own does not listen.
                    Meaning::Other => drop(self.keys.send(key)),
                    Meaning::Nothing => {}
                },
                Event::Resize(..) => is_due = true,
                _ => {}
            }
        }
        Ok(is_due)
    }
}

fn new_screen() -> io::Result<Drawn> {
    Drawn::new(CrosstermBackend::new(FrameWriter::default()))
}

/// Takes the terminal after the job was suspended.
fn take_again() -> Result<Drawn, Ended> {
    if !job::is_in_foreground() {
        return Err(Ended::Background);
    }
    modes::enter()?;
    Ok(new_screen()?)
}

impl Drop for Painting {
    fn drop(&mut self) {
        modes::leave();
        if std::thread::panicking() {
            self.shared.fail(Ended::Panic.to_string());
        }
    }
}
