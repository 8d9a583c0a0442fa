//! Job control: in raw mode the terminal sends no signals, so what it would have sent is sent from here.

use std::io;

use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};
use rustix::termios::tcgetpgrp;

/// Whether this process may use the terminal. A job in the background that changes its modes is stopped.
pub(super) fn is_in_foreground() -> bool {
    // A terminal that is not the controlling one has no jobs.
    tcgetpgrp(io::stdout()).map_or(true, |group| group == getpgrp())
}

/// Ends the command as Ctrl-C does outside the dashboard: `make` and a shell's loop end too.
pub(super) fn interrupt() {
    send(Signal::INT);
}

/// Suspends the job, and returns when it continues.
pub(super) fn suspend() {
    send(Signal::TSTP);
}

/// To the whole job, as the terminal does; where the terminal does not control it, to this process alone.
fn send(signal: Signal) {
    let is_job = tcgetpgrp(io::stdout()).is_ok_and(|group| group == getpgrp());
    // A process may always signal itself and its group.
    let _ = if is_job { kill_current_process_group(signal) } else { kill_process(getpid(), signal) };
}
