//! Accepting connections, and serving each until its orderly end.

use std::error::Error;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
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
use super::service::{ConnectionService, UnreadBody};
use super::write_timeout::{WriteTimeout, write_timeout};
use crate::identity::Peer;
use crate::settings::Limits;
use crate::telemetry::Metrics;

/// Largest request head, and most bytes that wait in the process for a client that does not read:
/// from there on its stream is not polled any further.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// After a connection could not be accepted: mostly there are no descriptors left, and asking again
/// at once would only burn the processor until there are.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// When to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Accept no more, and end each connection after the request that it is at.
    pub(crate) gracefully: CancellationToken,
    /// Drop every connection that is left.
    pub(crate) now: CancellationToken,
}

/// Accepts up to `connections_max` connections at once and serves `app` on them until it is told to stop. Then it waits until the
/// last request of each connection has been answered, streams included: how long that may take is
/// the caller's to say.
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
            // Taken first: a connection over the limit waits in the backlog and costs no descriptor.
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
        // Boxed, or the task would hold it twice: as what it was given and as what it waits for.
        let (connection, left) = connection(stream, limits, peer, service.clone());
        let connection = Box::pin(graceful.watch(connection));
        let (now, metrics, open) = (stop.now.clone(), metrics.clone(), OpenConnection::new(metrics.clone(), permit));
        tokio::spawn(async move {
            if let Some(Err(error)) = now.run_until_cancelled(connection).await {
                ended_early(&error, &metrics);
            }
            now.run_until_cancelled(linger(left)).await;
            drop(open);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// A client's socket.
type Socket = WriteTimeout<TcpStream>;

/// A connection, and where its socket is left behind when it ends with a request unread.
fn connection(
    stream: TcpStream,
    limits: &Limits,
    peer: Peer,
    service: TowerToHyperService<Router>,
) -> (http1::Connection<TokioIo<LingeringSocket<Socket>>, ConnectionService>, LeftOpen<Socket>) {
    // Nagle's algorithm would hold a token back until the client has acknowledged the last. A socket
    // on which it cannot be switched off is broken, and shows that by itself.
    let _ = stream.set_nodelay(true);
    let unread = UnreadBody::default();
    let service = ConnectionService::new(peer, service, unread.clone());
    let (stream, left) = LingeringSocket::new(write_timeout(stream, limits.write_timeout), unread);
    let connection = http1::Builder::new()
        // Without a timer hyper's limit on heads would not run; with a limit and no timer it panics.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read_timeout)
        .max_buf_size(BUFFER_BYTES_MAX)
        // A token and the framing around it are copied together and go out with one plain write: for so
        // few bytes, a list of buffers costs more than the copy, here and in the kernel.
        .writev(false)
        .serve_connection(TokioIo::new(stream), service);
    (connection, left)
}

/// A client that left, did not read or did not speak HTTP. Its request, if it had one, has been
/// counted by its own guard.
fn ended_early(error: &hyper::Error, metrics: &Metrics) {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut) {
        metrics.write_timeout();
    }
    tracing::debug!(%error, "a connection ended early");
}
