use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::write_timeout::WriteTimeout;
use crate::settings::Limits;
use crate::telemetry::Metrics;

/// How long a client may take to send a request's head, and how long a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// After a connection could not be accepted: mostly there are no descriptors left, and asking again
/// at once would only burn the processor until there are.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections and serves `app` on them until `stop` is cancelled. Then it waits until the
/// last request of each connection has been answered, streams included: how long that may take is
/// the caller's to say.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: &Limits,
    metrics: &Metrics,
    stop: &CancellationToken,
) {
    let connections = Arc::new(Semaphore::new(limits.max_connections.get().min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let service = TowerToHyperService::new(app);
    loop {
        let next = async {
            let permit = connections.clone().acquire_owned().await;
            let permit = permit.unwrap_or_else(|closed| unreachable!("nothing closes this semaphore: {closed}"));
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                metrics.accept_error();
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, limits.write_timeout, service.clone()));
        tokio::spawn(async move {
            // An error here is a client that left or did not speak HTTP. Its request, if it had one,
            // has been counted by its own guard.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn connection(
    stream: TcpStream,
    write_timeout: Duration,
    service: TowerToHyperService<Router>,
) -> http1::Connection<TokioIo<WriteTimeout<TcpStream>>, TowerToHyperService<Router>> {
    // Nagle's algorithm would hold a token back until the client has acknowledged the last. A socket
    // on which it cannot be switched off is broken, and shows that by itself.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(WriteTimeout::new(stream, write_timeout));
    http1::Builder::new()
        // Without a timer hyper's limit on heads would not run; with a limit and no timer it panics.
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(io, service)
}
