//! Waits for what happens to the terminal. crossterm waits by itself, but reads the end of a terminal that is gone for
//! ever, and never returns.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The terminal is gone: its window was closed, or its connection.
#[derive(Debug, thiserror::Error)]
#[error("the terminal is gone")]
pub(super) struct TerminalGone;

/// Waits until there is a key to read, for `limit` at most.
///
/// # Errors
/// When the terminal is gone.
pub(super) fn for_key(limit: Duration) -> Result<(), TerminalGone> {
    let terminal = io::stdout();
    let mut polled = [PollFd::new(&terminal, PollFlags::IN)];
    // A limit of milliseconds always fits.
    let timeout = Timespec::try_from(limit).ok();
    let ready = poll(&mut polled, timeout.as_ref());
    let seen = polled[0].revents();
    match ready {
        Ok(_) if seen.contains(PollFlags::HUP) => Err(TerminalGone),
        // macOS cannot poll every device that is a terminal.
        Ok(_) if seen.intersects(PollFlags::NVAL | PollFlags::ERR) => {
            sleep(limit);
            Ok(())
        }
        // A signal ends the wait early.
        Ok(_) | Err(_) => Ok(()),
    }
}
