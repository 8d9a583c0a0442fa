//! A limit on how long a client may not read.

use std::pin::Pin;
use std::time::Duration;

use tokio_io_timeout::TimeoutWriter;

/// A stream whose writes fail with [`TimedOut`](std::io::ErrorKind::TimedOut) after `limit` without progress.
///
/// A client that stops reading fills the socket's buffer, and then the connection no longer polls the
/// answer's body, whatever framework it belongs to. A limit in the body would never run: the write is the one place
/// that still does.
pub type WriteTimeout<S> = Pin<Box<TimeoutWriter<S>>>;

/// Limits the writes to `stream`.
#[must_use]
pub fn write_timeout<S: tokio::io::AsyncWrite>(stream: S, limit: Duration) -> WriteTimeout<S> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limit));
    Box::pin(stream)
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, sleep};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_reads_times_out() {
        let (ours, _theirs) = duplex(8);
        let begun = Instant::now();
        let error = write_timeout(ours, LIMIT).write_all(&[0; 64]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_disconnected() {
        let (ours, mut theirs) = duplex(8);
        let reader = tokio::spawn(async move {
            let mut piece = [0; 8];
            for _ in 0..8 {
                sleep(LIMIT - Duration::from_secs(1)).await;
                theirs.read_exact(&mut piece).await.unwrap();
            }
        });
        let begun = Instant::now();
        write_timeout(ours, LIMIT).write_all(&[0; 64]).await.unwrap();
        assert!(begun.elapsed() > 5 * LIMIT, "each write made progress in time");
        reader.await.unwrap();
    }
}
