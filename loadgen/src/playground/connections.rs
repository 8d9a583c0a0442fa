//! The connections of the pages: a limited number, and none that its client does not read.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{future, io};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutWriter;

use super::pages::Pages;

/// Connections at the same time: ten browsers open as many. The next wait until one is closed.
const CONNECTIONS_MAX: usize = 64;
/// How long a client may take nothing of what is sent to it before its connection is closed.
const WRITE_LIMIT: Duration = Duration::from_secs(20);

/// Accepts the connections of pages.
pub(super) struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    pages: Pages,
}

impl Connections {
    /// Those of `listener`. One that is closed because its client does not read counts in `pages`.
    pub(super) fn new(listener: TcpListener, pages: Pages) -> Self {
        Connections { listener, permits: Arc::new(Semaphore::new(CONNECTIONS_MAX)), pages }
    }
}

impl Listener for Connections {
    type Io = PageConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (PageConnection, SocketAddr) {
        let Ok(permit) = self.permits.clone().acquire_owned().await else {
            // It is never closed.
            return future::pending().await;
        };
        let (stream, addr) = Listener::accept(&mut self.listener).await;
        // Without it a frame would wait until the one before is acknowledged; with an error the first write fails.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(WRITE_LIMIT));
        (PageConnection { stream: Box::pin(stream), pages: self.pages.clone(), _permit: permit }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that counts among those at the same time, and whose writes fail when nobody reads.
pub(super) struct PageConnection {
    stream: Pin<Box<TimeoutWriter<TcpStream>>>,
    pages: Pages,
    _permit: OwnedSemaphorePermit,
}

impl PageConnection {
    /// Counts a client that did not read.
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Err(error)) = &written
            && error.kind() == io::ErrorKind::TimedOut
        {
            self.pages.dropped();
        }
        written
    }
}

impl AsyncRead for PageConnection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for PageConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.stream.as_mut().poll_write(cx, buf);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream.as_mut().poll_write_vectored(cx, bufs);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}
