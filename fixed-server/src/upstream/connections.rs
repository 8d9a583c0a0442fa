//! Connections to the vendor.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::net;

use super::POOL_IDLE_TIMEOUT;

/// How often it is looked whether the vendor has closed connections that nobody uses.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Connections to the vendor: those that wait for their next request, and new ones.
#[derive(Debug)]
pub(super) struct Connections {
    /// `host:port`
    vendor: String,
    connect_timeout: Duration,
    idle: Arc<Idle>,
}

/// A connection that carries one request after the other.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    idle: Arc<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// With the time since which each waits; the last one in is the first one out.
    streams: Vec<(TcpStream, Instant)>,
    /// A task looks after them.
    swept: bool,
}

impl Connections {
    /// None yet.
    pub(super) fn new(vendor: String, connect_timeout: Duration) -> Self {
        Connections { vendor, connect_timeout, idle: Arc::default() }
    }

    /// A connection that waits, or a new one.
    ///
    /// # Errors
    /// Why there is no new one, as a text for the log.
    pub(super) async fn take(&self) -> Result<Connection, String> {
        if let Some(stream) = self.idle.take() {
            return Ok(Connection { stream, idle: self.idle.clone() });
        }
        let connected = timeout(self.connect_timeout, TcpStream::connect(&self.vendor)).await;
        let stream = connected.map_err(|_| "no connection in time".to_owned())?.map_err(|error| error.to_string())?;
        // Nagle's algorithm would hold a request back. Where it cannot be switched off, the socket is
        // broken, and shows that by itself.
        let _ = stream.set_nodelay(true);
        net::bound_receive_buffer(&stream);
        Ok(Connection { stream, idle: self.idle.clone() })
    }
}

impl Connection {
    /// Keeps the connection for the next request. It must have been read to the end of the last answer.
    pub(super) fn keep(self) {
        let mut waiting = self.idle.lock();
        waiting.streams.push((self.stream, Instant::now()));
        if !waiting.swept {
            waiting.swept = true;
            tokio::spawn(sweep(Arc::downgrade(&self.idle)));
        }
    }
}

impl Idle {
    fn take(&self) -> Option<TcpStream> {
        let mut waiting = self.lock();
        while let Some((stream, since)) = waiting.streams.pop() {
            if usable(&stream, since) {
                return Some(stream);
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections that have waited too long or that the vendor has closed, until none is left:
/// they would hold a descriptor each until the next request.
async fn sweep(idle: Weak<Idle>) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        let Some(idle) = idle.upgrade() else { return };
        let mut waiting = idle.lock();
        waiting.streams.retain(|(stream, since)| usable(stream, *since));
        if waiting.streams.is_empty() {
            waiting.swept = false;
            return;
        }
    }
}

/// Whether the vendor keeps the connection open, is silent, and is not about to close it.
fn usable(stream: &TcpStream, since: Instant) -> bool {
    let silent = stream.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    silent && since.elapsed() < POOL_IDLE_TIMEOUT
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn vendor() -> (TcpListener, Connections) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connections = Connections::new(listener.local_addr().unwrap().to_string(), Duration::from_secs(5));
        (listener, connections)
    }

    async fn take(listener: &TcpListener, connections: &Connections) -> (Connection, TcpStream) {
        let both = async { tokio::join!(connections.take(), listener.accept()) };
        let (connection, accepted) = timeout(Duration::from_secs(10), both).await.expect("no connection was made");
        (connection.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn a_kept_connection_is_used_again_and_one_that_is_in_use_is_not() {
        let (listener, connections) = vendor().await;
        let (kept, _first) = take(&listener, &connections).await;
        let (_in_use, _second) = take(&listener, &connections).await;
        let addr = kept.stream.local_addr().unwrap();
        kept.keep();
        let again = connections.take().await.unwrap();
        assert_eq!(again.stream.local_addr().unwrap(), addr);
    }

    #[tokio::test]
    async fn a_connection_that_the_vendor_closed_or_spoke_on_is_not_used_again() {
        let (listener, connections) = vendor().await;
        for says in [&b""[..], b"HTTP/1.1 408 Request Timeout\r\n\r\n"] {
            let (kept, theirs) = take(&listener, &connections).await;
            let addr = kept.stream.local_addr().unwrap();
            theirs.try_write(says).unwrap();
            drop(theirs);
            kept.stream.readable().await.unwrap();
            kept.keep();
            let (other, _theirs) = take(&listener, &connections).await;
            assert_ne!(other.stream.local_addr().unwrap(), addr, "{says:?}");
        }
    }

    #[tokio::test]
    async fn what_the_vendor_closed_does_not_hold_a_descriptor_until_the_next_request() {
        let (listener, connections) = vendor().await;
        let (kept, theirs) = take(&listener, &connections).await;
        kept.keep();
        drop(theirs);
        let swept = async {
            while connections.idle.lock().swept {
                sleep(SWEEP_INTERVAL / 10).await;
            }
        };
        timeout(10 * SWEEP_INTERVAL, swept).await.unwrap();
        assert!(connections.idle.lock().streams.is_empty());
    }
}
