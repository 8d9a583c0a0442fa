//! Writes the log in a separate thread, so that no request waits for the reader of the log.
//!
//! The queue and the thread are those of tracing-appender. It wakes its thread for each line, ignores failed writes,
//! and may block on stdout at the end: the code here adds what is missing.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Capacity of the queue in lines; when it is full, new lines are dropped. With lines of 250 bytes, half a MiB.
const QUEUED_LINES_MAX: usize = 2048;

/// Bytes written at once.
const BATCH_BYTES: usize = 64 * 1024;

/// Pause after each write, in which lines accumulate. Without it the thread is woken for each line: a line then
/// costs 11 µs of CPU instead of 6, and the thread takes a core from a request, which on two cores made the p99 of
/// calls half a millisecond slower.
const BATCH_INTERVAL: Duration = Duration::from_millis(20);

/// How long the exit may wait for the log: a little longer than [`WorkerGuard`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(1_200);

/// Counts lines dropped because the queue was full.
static QUEUE_FULL: OnceLock<ErrorCounter> = OnceLock::new();

/// Lines whose write failed.
static WRITE_FAILED: AtomicU64 = AtomicU64::new(0);

/// Number of log lines dropped since the process started, because nobody read them or a write failed.
#[must_use]
pub fn lines_dropped() -> u64 {
    let queue_full = QUEUE_FULL.get().map_or(0, ErrorCounter::dropped_lines);
    queue_full as u64 + WRITE_FAILED.load(Ordering::Relaxed)
}

/// Starts the thread that writes to `out`. When the queue is full, new lines are dropped and counted by the
/// returned writer.
pub(super) fn start(out: impl Write + Send + 'static) -> (NonBlocking, FlushOnDrop) {
    let builder = NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES_MAX).thread_name("log-writer");
    let (writer, guard) = builder.finish(Batches { out, lines: Vec::new() });
    (writer, FlushOnDrop(Some(guard)))
}

/// Makes [`lines_dropped`] include what `writer` drops.
pub(super) fn count_drops_of(writer: &NonBlocking) {
    let _ = QUEUE_FULL.set(writer.error_counter());
}

/// Writes many lines at once. Called by the log's thread only: `flush` whenever the queue is empty.
struct Batches<W> {
    out: W,
    lines: Vec<u8>,
}

impl<W: Write> Batches<W> {
    fn write_out(&mut self) {
        if self.out.write_all(&self.lines).is_err() {
            let lost = self.lines.iter().filter(|byte| **byte == b'\n').count();
            WRITE_FAILED.fetch_add(lost as u64, Ordering::Relaxed);
        }
        self.lines.clear();
    }
}

impl<W: Write> Write for Batches<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.extend_from_slice(line);
        if self.lines.len() >= BATCH_BYTES {
            self.write_out();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.lines.is_empty() {
            self.write_out();
            thread::sleep(BATCH_INTERVAL);
        }
        Ok(())
    }
}

/// When dropped, waits until the queued lines are written, but at most a little over a second.
#[derive(Debug)]
pub struct FlushOnDrop(Option<WorkerGuard>);

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        let Some(guard) = self.0.take() else { return };
        let (done, flushed) = mpsc::channel::<()>();
        // If the queue is full, the guard prints to stdout. That may be the same pipe that nobody reads
        // (`2>&1 |`), and printing to it would never return.
        let flush = move || {
            drop(guard);
            drop(done);
        };
        if thread::Builder::new().name("log-flush".into()).spawn(flush).is_ok() {
            // Nothing is sent: it ends when `done` is dropped.
            let _ = flushed.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, pipe};
    use std::time::Instant;

    use super::*;

    #[test]
    fn lines_arrive_whole_in_order_and_are_flushed_on_drop() {
        let (mut reader, out) = pipe().unwrap();
        let (writer, flush) = start(out);
        let lines = |thread: usize| (0..100).map(move |number| format!("{thread} {number}\n"));
        thread::scope(|scope| {
            for number in 0..4 {
                let mut writer = writer.clone();
                scope.spawn(move || lines(number).for_each(|line| writer.write_all(line.as_bytes()).unwrap()));
            }
        });
        drop((writer, flush));
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
    fn a_single_line_is_written_without_waiting_for_more() {
        let (mut reader, out) = pipe().unwrap();
        let (mut writer, _flush) = start(out);
        for _ in 0..3 {
            writer.write_all(b"line\n").unwrap();
            let mut read = [0; 5];
            reader.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"line\n");
        }
    }

    #[test]
    fn without_a_reader_lines_are_dropped_and_counted() {
        let (reader, out) = pipe().unwrap();
        let (mut writer, flush) = start(out);
        // More than the queue, the batch and the pipe hold.
        let line = [b'x'; 1024];
        for _ in 0..2 * QUEUED_LINES_MAX {
            writer.write_all(&line).unwrap();
        }
        assert!(writer.error_counter().dropped_lines() > 0);
        let begun = Instant::now();
        drop(flush);
        // It gives up after a while.
        assert!(begun.elapsed() < 20 * FLUSH_TIMEOUT);
        drop(reader);
    }

    #[test]
    fn lines_whose_write_fails_are_counted() {
        let (reader, out) = pipe().unwrap();
        drop(reader);
        let (mut writer, flush) = start(out);
        let before = lines_dropped();
        writer.write_all(b"one\n").unwrap();
        writer.write_all(b"two\n").unwrap();
        drop(flush);
        assert_eq!(lines_dropped() - before, 2);
    }
}
