//! The lingering close of a connection on which a request was rejected before its body was read.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

use super::service::UnreadBody;

/// How long a client may go on sending.
const LINGER: Duration = Duration::from_secs(5);

/// Bytes that are read and discarded at once.
const READ_BYTES: usize = 16 * 1024;

/// A stream of which only the writing side is closed if a request's body is unread; [`linger`] closes the rest. A
/// connection that is closed with bytes unread is reset, and the reset may overtake the answer: the client would see a
/// broken connection in its place.
#[derive(Debug)]
pub(super) struct LingeringSocket<S> {
    /// None after it was left open.
    stream: Option<S>,
    unread: UnreadBody,
    left_open: LeftOpen<S>,
}

/// The stream that was left open, if any.
#[derive(Debug)]
pub(super) struct LeftOpen<S>(Arc<Mutex<Option<S>>>);

impl<S> LingeringSocket<S> {
    /// The stream, and the place for it if it is left open.
    pub(super) fn new(stream: S, unread: UnreadBody) -> (Self, LeftOpen<S>) {
        let left_open = Arc::new(Mutex::new(None));
        (LingeringSocket { stream: Some(stream), unread, left_open: LeftOpen(left_open.clone()) }, LeftOpen(left_open))
    }

    /// The stream, while it is in use.
    fn stream(&mut self) -> io::Result<&mut S> {
        self.stream.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// Reads and discards what the client still sends, until it closes its side or [`LINGER`] is over. What served the
/// connection has been dropped by then, with its buffers.
pub(super) async fn linger<S: AsyncRead + Unpin>(left_open: LeftOpen<S>) {
    let stream = left_open.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut stream) = stream else { return };
    let _ = timeout(LINGER, poll_fn(|cx| poll_discard(&mut stream, cx))).await;
}

fn poll_discard(stream: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
    loop {
        let mut discarded = [MaybeUninit::uninit(); READ_BYTES];
        let mut discarded = ReadBuf::uninit(&mut discarded);
        let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut discarded));
        if read.is_err() || discarded.filled().is_empty() {
            return Poll::Ready(());
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LingeringSocket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream()?).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for LingeringSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.stream()?).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream()?).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream()?).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(self.stream()?).poll_shutdown(cx))?;
        if self.unread.get() {
            let stream = self.stream.take();
            *self.left_open.0.lock().unwrap_or_else(PoisonError::into_inner) = stream;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn unread_bytes_are_discarded_until_the_end_or_a_timeout() {
        for (disconnects, waited) in [(true, Duration::from_secs(3)), (false, LINGER)] {
            let (ours, mut theirs) = duplex(8);
            let unread = UnreadBody::default();
            unread.set(true);
            let client = tokio::spawn(async move {
                theirs.write_all(&[0; 64]).await.unwrap();
                assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 0, "the server's side is closed at once");
                sleep(Duration::from_secs(3)).await;
                if disconnects { drop(theirs) } else { std::future::pending().await }
            });
            let begun = Instant::now();
            let (mut ours, left_open) = LingeringSocket::new(ours, unread);
            ours.shutdown().await.unwrap();
            assert_eq!(begun.elapsed(), Duration::ZERO);
            linger(left_open).await;
            assert_eq!(begun.elapsed(), waited);
            client.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_unread_bytes_closes_at_once() {
        let (ours, _theirs) = duplex(8);
        let begun = Instant::now();
        let (mut ours, left_open) = LingeringSocket::new(ours, UnreadBody::default());
        ours.shutdown().await.unwrap();
        linger(left_open).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
