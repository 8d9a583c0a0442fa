//! The HTTP server: sockets, limits, orderly shutdown.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use futures_util::future::BoxFuture;
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::api::{PoolProbe, Routes};
use crate::cli::Cli;
use crate::observe::observe;
use crate::settings::Settings;
use crate::state::{AppState, StartError};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Connections per worker, if there are descriptors for them; more wait in the backlog.
const CONNECTIONS_MAX: usize = 25_000;

/// Descriptors for other things than connections.
const DESCRIPTORS_RESERVED: usize = 64;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server goes on accepting connections during a shutdown, so that a load balancer that polls `/ready`
/// can see it before connections are refused.
const READY_NOTICE: Duration = Duration::from_millis(250);

/// How long the last bytes of truncated streams may take. actix checks once a second whether its connections are
/// closed, so a shorter time would lose those bytes.
const LAST_BYTES_TIMEOUT: Duration = Duration::from_secs(2);

/// Listens on `addr`.
///
/// # Errors
/// When the address is in use, or is not one of this machine.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Otherwise a server could not start while connections of its predecessor are in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Serves on `listener` until `shutdown` is ready, then shuts down in order: `/ready` says so at once, and new calls
/// are rejected; a little later connections are refused; running streams may go on for
/// [`Settings::shutdown_grace`], and those still open then end with an error event.
///
/// Boxed: the future of an `async fn` is compiled in the crate that polls it, so the program would compile the whole
/// server a second time.
///
/// # Errors
/// See [`StartError`]. A shutdown that was requested is no error.
pub fn run<'a>(
    listener: TcpListener,
    cli: &'a Cli,
    shutdown: BoxFuture<'a, ()>,
) -> BoxFuture<'a, Result<(), StartError>> {
    Box::pin(serve_until(listener, cli, shutdown))
}

async fn serve_until(listener: TcpListener, cli: &Cli, shutdown: BoxFuture<'_, ()>) -> Result<(), StartError> {
    let settings = &cli.settings;
    let state = Data::new(AppState::new(settings)?);
    let routes = (cli.mistake.routes)(settings)?;
    let server = serve(listener, settings, state.clone(), routes)?;
    let handle = server.handle();
    let mut serving = tokio::spawn(server);
    tokio::select! {
        stopped = &mut serving => return stopped.unwrap_or_else(|panic| Err(io::Error::other(panic))).map_err(Into::into),
        () = shutdown => {}
    }

    let grace_ends = Instant::now() + settings.shutdown_grace;
    state.draining.cancel();
    sleep(READY_NOTICE.min(settings.shutdown_grace)).await;
    // This sends the command. When it has been carried out, `serving` ends.
    drop(handle.stop(true));
    if timeout_at(grace_ends, &mut serving).await.is_err() {
        tracing::info!("the grace is over: ending the streams that are still open");
        state.grace_over.cancel();
        state.blocking.disconnect();
        // From now, not from the end of the grace: a process that was paused meanwhile would leave no time.
        if timeout(LAST_BYTES_TIMEOUT, &mut serving).await.is_err() {
            // Its event loop is blocked, so it cannot react.
            tracing::warn!("a worker did not stop in time: abandoning it");
            serving.abort();
        }
    }
    Ok(())
}

fn serve(listener: TcpListener, settings: &Settings, state: Data<AppState>, routes: Routes) -> io::Result<Server> {
    let longest = settings.shutdown_grace + LAST_BYTES_TIMEOUT;
    let app = move || {
        // Each worker has its own, as it has its own pool.
        let probe = Data::new(PoolProbe::default());
        App::new().app_data(state.clone()).app_data(probe).wrap(from_fn(observe)).configure(|config| routes(config))
    };
    let server = HttpServer::new(app)
        .workers(usize::from(settings.workers))
        .worker_max_blocking_threads(usize::from(settings.blocking_threads))
        .max_connections(connections_max(settings.workers))
        .client_request_timeout(HEAD_TIMEOUT)
        // Nagle's algorithm would hold a token back until the client has acknowledged the one before.
        .tcp_nodelay(true)
        // Each token is written as soon as it is there. actix would collect all that a body has ready, which is
        // the whole stream if it blocks its thread.
        .h1_write_buffer_size(1)
        // By default a client that closes its connection is treated as one that has only stopped sending, and its
        // call goes on until a token cannot be written.
        .h1_allow_half_closed(false)
        .disable_signals()
        // actix counts whole seconds from its own start, so its limit must be the longest.
        .shutdown_timeout(longest.as_secs() + 1)
        .listen(listener)?;
    Ok(server.run())
}

/// Connections per worker: each needs a descriptor, and another for its call to the vendor. If clients took the last
/// descriptor, every call would fail.
fn connections_max(workers: u16) -> usize {
    let available = rlimit::Resource::NOFILE.get_soft().ok().and_then(|soft| usize::try_from(soft).ok());
    let for_clients = available.unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_RESERVED) / 2;
    let max = (for_clients / usize::from(workers.max(1))).clamp(1, CONNECTIONS_MAX);
    if max < CONNECTIONS_MAX {
        tracing::warn!(
            "too few file descriptors for {CONNECTIONS_MAX} connections and their calls: each worker accepts {max} at \
             once; raise the limit (ulimit -n)"
        );
    }
    max
}
