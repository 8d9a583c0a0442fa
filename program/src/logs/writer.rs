//! Writes the log in a thread of its own, so that a request never waits for the reader of the log.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// Bytes of lines that may wait to be written: a second's worth of a busy server.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// How long lines gather once some have been written. A thread that is woken for each line takes a
/// processor from who serves: at 1,000 calls a second on two cores, that alone made the slowest hundredth
/// of them half a millisecond slower (`make bench-stack`).
const GATHERED_FOR: Duration = Duration::from_millis(20);

/// How long the end may take: who does not read must not keep the program from ending.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Lines that were not written, counted for the whole process.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Lines that were dropped since the start, because nobody read them or they could not be written.
#[must_use]
pub fn lines_dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Takes lines and leaves the writing of them to a thread, many at a time. Written where they arise, they
/// would stop the event loop as soon as nobody reads them: a pipe holds 64 KiB. When too many wait, the
/// newest are dropped and counted.
#[derive(Debug, Clone)]
pub(super) struct LogWriter(Arc<Shared>);

/// Dropped, it waits until the lines that wait are written, but not for ever.
#[derive(Debug)]
pub struct WrittenAtEnd(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    /// The thread waits for a line.
    idle: bool,
    ending: bool,
    ended: bool,
}

impl LogWriter {
    /// Begins to write to `out`.
    pub(super) fn start(out: impl Write + Send + 'static) -> (Self, WrittenAtEnd) {
        let shared = Arc::<Shared>::default();
        let (writing, writer) = (shared.clone(), LogWriter(shared.clone()));
        let thread = thread::Builder::new().name("log-writer".into());
        let begun = thread.spawn(move || {
            writing.write_to(out);
            writing.state().ended = true;
            writing.changed.notify_all();
        });
        // Where no thread can be had, lines are counted as dropped as soon as too many wait.
        shared.state().ended = begun.is_err();
        (writer, WrittenAtEnd(shared))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, line: &[u8]) {
        let mut state = self.state();
        if state.lines.len() + line.len() > WAITING_BYTES_MAX {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.lines.extend_from_slice(line);
        if std::mem::take(&mut state.idle) {
            self.changed.notify_all();
        }
    }

    fn write_to(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut state = self.state();
            while state.lines.is_empty() && !state.ending {
                state.idle = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.lines.is_empty() {
                return;
            }
            std::mem::swap(&mut state.lines, &mut lines);
            drop(state);
            if out.write_all(&lines).is_err() {
                let lost = lines.iter().filter(|byte| **byte == b'\n').count();
                DROPPED.fetch_add(lost as u64, Ordering::Relaxed);
            }
            lines.clear();
            self.wait_until(Instant::now() + GATHERED_FOR, |state| state.ending);
        }
    }

    fn wait_until(&self, end: Instant, come: impl Fn(&State) -> bool) {
        let left = end.saturating_duration_since(Instant::now());
        let _ = self.changed.wait_timeout_while(self.state(), left, |state| !come(state));
    }
}

impl Drop for WrittenAtEnd {
    fn drop(&mut self) {
        self.0.state().ending = true;
        self.0.changed.notify_all();
        self.0.wait_until(Instant::now() + END_TIMEOUT, |state| state.ended);
    }
}

/// The subscriber makes one call a line.
impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, pipe};

    use super::*;

    #[test]
    fn lines_come_whole_and_in_order_and_all_of_them_at_the_end() {
        let (mut reader, out) = pipe().unwrap();
        let (writer, written) = LogWriter::start(out);
        let lines = |thread: usize| (0..100).map(move |number| format!("{thread} {number}\n"));
        thread::scope(|scope| {
            for number in 0..4 {
                let mut writer = writer.clone();
                scope.spawn(move || lines(number).for_each(|line| writer.write_all(line.as_bytes()).unwrap()));
            }
        });
        drop(written);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        for thread in 0..4 {
            let prefix = format!("{thread} ");
            let of_thread = read.split_inclusive('\n').filter(|line| line.starts_with(&prefix));
            assert!(of_thread.eq(lines(thread)), "{read}");
        }
        assert_eq!(read.len(), (0..4).flat_map(lines).map(|line| line.len()).sum::<usize>());
    }

    #[test]
    fn a_line_after_a_silence_does_not_wait_for_others() {
        let (mut reader, out) = pipe().unwrap();
        let (mut writer, _written) = LogWriter::start(out);
        for _ in 0..3 {
            writer.write_all(b"line\n").unwrap();
            let mut read = [0; 5];
            reader.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"line\n");
        }
    }

    #[test]
    fn where_nobody_reads_nobody_waits_and_what_is_lost_is_counted() {
        let (reader, out) = pipe().unwrap();
        let (mut writer, written) = LogWriter::start(out);
        let before = lines_dropped();
        let line = [b'x'; 1024];
        // What may wait, what is being written, and one more.
        for _ in 0..=2 * WAITING_BYTES_MAX / line.len() {
            writer.write_all(&line).unwrap();
        }
        assert!(lines_dropped() > before);
        let begun = Instant::now();
        drop(written);
        assert!(begun.elapsed() >= END_TIMEOUT, "it was not written: nobody has read");
        drop(reader);
    }
}
