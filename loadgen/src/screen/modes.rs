//! The modes of the terminal: set when the dashboard begins, and set back when it ends, also by a panic.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use ratatui_crossterm::crossterm::cursor::{Hide, Show};
use ratatui_crossterm::crossterm::execute;
use ratatui_crossterm::crossterm::style::{Attribute, SetAttribute};
use ratatui_crossterm::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the dashboard is on the terminal. Locked while anything is written to it, so that nothing of the dashboard
/// comes after the ordinary screen is back. There is one terminal in a process, and a panic's hook needs it.
static IS_ON: Mutex<bool> = Mutex::new(false);

fn is_on_locked() -> MutexGuard<'static, bool> {
    IS_ON.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the terminal.
///
/// # Errors
/// When it cannot be switched to raw mode or does not take what is written. Then it is as before.
pub(super) fn enter() -> io::Result<()> {
    leave_before_panic_messages();
    let mut on = is_on_locked();
    enable_raw_mode()?;
    *on = true;
    let entered = execute!(io::stdout(), EnterAlternateScreen, Hide, Clear(ClearType::All));
    if entered.is_err() {
        leave_locked(&mut on);
    }
    entered
}

/// Gives the terminal back, if it was taken.
pub(super) fn leave() {
    leave_locked(&mut is_on_locked());
}

fn leave_locked(on: &mut bool) {
    if std::mem::take(on) {
        // A terminal that is gone has no modes to set back.
        let _ = execute!(io::stdout(), SetAttribute(Attribute::Reset), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// Whether the dashboard is on the terminal.
pub(super) fn is_on() -> bool {
    *is_on_locked()
}

/// A panic's message on the alternate screen would be gone with it. Of any thread: the screen cannot be trusted then.
fn leave_before_panic_messages() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let print_message = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            print_message(panic);
        }));
    });
}

/// Collects a frame and writes it in one piece. Once the terminal has been given back, it writes nothing.
#[derive(Default)]
pub(super) struct FrameWriter(Vec<u8>);

impl Write for FrameWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.0);
        let on = is_on_locked();
        if !*on || frame.is_empty() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(&frame)?;
        stdout.flush()
    }
}
