//! The end of a connection on which a request was refused before its body was read.

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

/// How long a client may go on sending what nobody reads.
const LINGER: Duration = Duration::from_secs(5);

/// Bytes that are read and dropped at once.
const READ_BYTES: usize = 16 * 1024;

/// A stream that is not closed whole at its end where a request's body is unread: our side is, and the rest is
/// left to [`linger`]. A connection that is closed with bytes unread is reset, and the reset may overtake the
/// answer that says why: the client would see a broken connection in its place.
#[derive(Debug)]
pub(super) struct LingeringSocket<S> {
    /// None once it was left behind.
    stream: Option<S>,
    unread: UnreadBody,
    left: LeftOpen<S>,
}

/// Where a stream is left behind.
#[derive(Debug)]
pub(super) struct LeftOpen<S>(Arc<Mutex<Option<S>>>);

impl<S> LingeringSocket<S> {
    /// The stream, and where it is left behind, if it is.
    pub(super) fn new(stream: S, unread: UnreadBody) -> (Self, LeftOpen<S>) {
        let left = Arc::new(Mutex::new(None));
        (LingeringSocket { stream: Some(stream), unread, left: LeftOpen(left.clone()) }, LeftOpen(left))
    }

    /// The stream, while it is in use.
    fn stream(&mut self) -> io::Result<&mut S> {
        self.stream.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// Reads and drops what the client still sends, until it closes its side or has had its time. Without what
/// served the connection: that is gone by then, with its buffers.
pub(super) async fn linger<S: AsyncRead + Unpin>(left: LeftOpen<S>) {
    let stream = left.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut stream) = stream else { return };
    let _ = timeout(LINGER, poll_fn(|cx| poll_drain(&mut stream, cx))).await;
}

fn poll_drain(stream: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
    loop {
        let mut dropped = [MaybeUninit::uninit(); READ_BYTES];
        let mut dropped = ReadBuf::uninit(&mut dropped);
        let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut dropped));
        if read.is_err() || dropped.filled().is_empty() {
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
            *self.left.0.lock().unwrap_or_else(PoisonError::into_inner) = stream;
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
    async fn what_is_still_coming_is_read_to_its_end_or_for_a_while() {
        for (leaves, waited) in [(true, Duration::from_secs(3)), (false, LINGER)] {
            let (ours, mut theirs) = duplex(8);
            let unread = UnreadBody::default();
            unread.set(true);
            let client = tokio::spawn(async move {
                theirs.write_all(&[0; 64]).await.unwrap();
                assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 0, "our side is closed at once");
                sleep(Duration::from_secs(3)).await;
                if leaves { drop(theirs) } else { std::future::pending().await }
            });
            let begun = Instant::now();
            let (mut ours, left) = LingeringSocket::new(ours, unread);
            ours.shutdown().await.unwrap();
            assert_eq!(begun.elapsed(), Duration::ZERO);
            linger(left).await;
            assert_eq!(begun.elapsed(), waited);
            client.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_requests_were_read_ends_at_once() {
        let (ours, _theirs) = duplex(8);
        let begun = Instant::now();
        let (mut ours, left) = LingeringSocket::new(ours, UnreadBody::default());
        ours.shutdown().await.unwrap();
        linger(left).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
