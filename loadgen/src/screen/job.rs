//! Job control: in raw mode the terminal sends no signals, so what it would have sent is sent from here.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};
use rustix::termios::tcgetpgrp;
use signal_hook::SigId;
use signal_hook::consts::SIGCONT;

/// Whether this process may use the terminal. A job in the background that changes its modes is stopped.
pub(super) fn is_in_foreground() -> bool {
    // A terminal that is not the controlling one has no jobs.
    tcgetpgrp(io::stdout()).map_or(true, |group| group == getpgrp())
}

/// Ends the command as Ctrl-C does outside the dashboard: `make` and a shell's loop end too.
pub(super) fn interrupt() {
    send(Signal::INT);
}

/// Notices that the job continues after it was suspended, by whatever.
pub(super) struct Continuation {
    seen: Arc<AtomicBool>,
    id: SigId,
}

impl Continuation {
    /// Notices it from now on.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(super) fn watch() -> io::Result<Self> {
        let seen = Arc::new(AtomicBool::new(false));
        Ok(Continuation { id: signal_hook::flag::register(SIGCONT, seen.clone())?, seen })
    }

    /// Whether the job has continued since this was asked last.
    pub(super) fn has_continued(&self) -> bool {
        self.seen.swap(false, Relaxed)
    }

    /// Suspends the job, and returns when it continues.
    pub(super) fn suspend(&self) {
        // The signal stops this thread a moment later. Without job control, nothing stops it, and nothing continues it.
        const STOPS_WITHIN: Duration = Duration::from_millis(500);
        self.seen.store(false, Relaxed);
        send(Signal::TSTP);
        let sent = Instant::now();
        while !self.has_continued() && sent.elapsed() < STOPS_WITHIN {
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Continuation {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.id);
    }
}

/// To the whole job, as the terminal does; where the terminal does not control it, to this process alone.
fn send(signal: Signal) {
    let is_job = tcgetpgrp(io::stdout()).is_ok_and(|group| group == getpgrp());
    // A process may always signal itself and its group.
    let _ = if is_job { kill_current_process_group(signal) } else { kill_process(getpid(), signal) };
}
