//! Accepts connections and serves each until it is closed.

use std::error::Error;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use gateway::{WriteTimeout, write_timeout};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use resilience::Permits;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::lingering::{LeftOpen, LingeringSocket, linger};
use super::open_connection::OpenConnection;
use super::service::{ConnectionService, FirstRequest, UnreadBody};
use crate::identity::Peer;
use crate::settings::Limits;
use crate::telemetry::Metrics;

/// Largest head of a request, and most bytes buffered in the process for a client that does not read: beyond them its
/// stream is not polled.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Pause after a failed accept. Usually there are no descriptors left, and retrying at once would only use CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The signals of a shutdown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Stop accepting, and close each connection after its current request.
    pub(crate) gracefully: CancellationToken,
    /// Drop all remaining connections.
    pub(crate) now: CancellationToken,
}

/// Accepts up to `connections_max` connections at once and serves `app` on them until `stop.gracefully`. Then it waits
/// until the last request of each connection has been answered, streams included. The caller limits how long.
pub(crate) async fn serve(
    listener: TcpListener,
    connections_max: NonZeroUsize,
    app: Router,
    limits: &Limits,
    metrics: &Arc<Metrics>,
    stop: &Stop,
) {
    let connections = Permits::new(connections_max);
    let graceful = GracefulShutdown::new();
    let service = TowerToHyperService::new(app);
    loop {
        let next = async {
            // Before accepting: a connection over the limit waits in the backlog and uses no descriptor.
            let permit = connections.take().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            () = stop.gracefully.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, Peer(peer.ip())),
            Err(error) => {
                metrics.accept_error();
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let first = FirstRequest::default();
        let (connection, left_open) = connection(stream, limits, peer, service.clone(), first.clone());
        // Boxed, or the task would hold it twice: as a captured value and as the awaited future.
        let connection = Box::pin(graceful.watch(connection));
        let (now, metrics, open) = (stop.now.clone(), metrics.clone(), OpenConnection::new(metrics.clone(), permit));
        let read_timeout = limits.read_timeout;
        tokio::spawn(async move {
            let served = async {
                tokio::select! {
                    ended = connection => ended,
                    () = first.is_late(read_timeout) => Ok(()),
                }
            };
            if let Some(Err(error)) = now.run_until_cancelled(served).await {
                ended_early(&error, &metrics);
            }
            now.run_until_cancelled(linger(left_open)).await;
            drop(open);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// A client's socket.
type Socket = WriteTimeout<TcpStream>;

/// A connection, and the place for its socket if it ends with a body unread.
fn connection(
    stream: TcpStream,
    limits: &Limits,
    peer: Peer,
    service: TowerToHyperService<Router>,
    first: FirstRequest,
) -> (http1::Connection<TokioIo<LingeringSocket<Socket>>, ConnectionService>, LeftOpen<Socket>) {
    // Nagle's algorithm would delay a token until the client has acknowledged the last one. If it cannot be
    // switched off, the socket is broken, and the next read fails.
    let _ = stream.set_nodelay(true);
    let unread = UnreadBody::default();
    let service = ConnectionService::new(peer, service, unread.clone(), first);
    // ANCHOR: bounded-writes
    // FIX slow-reader: this connection polls the answer's body, which polls the vendor. It does so only while less is
    // unsent than the buffer holds, and it is closed, with all that its request holds, if nothing can be written.
    let (stream, left_open) = LingeringSocket::new(write_timeout(stream, limits.write_timeout), unread);
    let connection = http1::Builder::new()
        // Without a timer hyper's limit on heads would not run; with a limit and no timer it panics.
        .timer(TokioTimer::new())
        .max_buf_size(BUFFER_BYTES_MAX)
        // ANCHOR_END: bounded-writes
        // ANCHOR: keep-alive-timeout
        // FIX keepalive-race: hyper counts this from the last answer, so it is how long a connection is kept. It is
        // longer than the balancer keeps it: of the two, the one that sends requests closes it.
        .header_read_timeout(limits.keep_alive_timeout)
        // ANCHOR_END: keep-alive-timeout
        // A token and its framing are copied into one buffer and written at once: for so few bytes, a vectored write
        // costs more than the copy, here and in the kernel.
        .writev(false)
        .serve_connection(TokioIo::new(stream), service);
    (connection, left_open)
}

/// Counts and logs a connection whose client disconnected, did not read or did not speak HTTP. Its request, if any, is
/// counted by its own guard.
fn ended_early(error: &hyper::Error, metrics: &Metrics) {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut) {
        metrics.write_timeout();
    }
    tracing::debug!(%error, "a connection ended early");
}
