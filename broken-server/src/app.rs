//! The HTTP server: sockets, limits, an orderly stop.

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

/// Connections of each worker, where there are descriptors for them; more wait in the backlog.
const CONNECTIONS_MAX: usize = 25_000;

/// Descriptors beside those of connections.
const DESCRIPTORS_RESERVED: usize = 64;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server goes on accepting after it has been told to stop, so that a balancer that
/// looks at `/ready` can see it before connections are refused.
const READY_NOTICE: Duration = Duration::from_millis(250);

/// How long the last bytes of cut streams may take. actix looks once a second whether its
/// connections are closed, so less would cut those bytes off.
const LAST_BYTES_TIMEOUT: Duration = Duration::from_secs(2);

/// Listens on `addr`.
///
/// # Errors
/// When the address is in use or not this machine's.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just stopped leaves connections in TIME_WAIT; they are no reason not to start.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Serves on `listener` until `shutdown` is ready, then stops in order: `/ready` says so at once and
/// new calls are refused, connections are a little later, running streams may go on for
/// [`Settings::shutdown_grace`], and what is left then ends with an error event.
///
/// Boxed: the future of an `async fn` is compiled where it is polled, and the program would compile the
/// whole server a second time.
///
/// # Errors
/// See [`StartError`]. A stop that was asked for is none.
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
    // The command is sent here; that it was carried out is seen by the server's own end.
    drop(handle.stop(true));
    if timeout_at(grace_ends, &mut serving).await.is_err() {
        tracing::info!("the grace is over: ending the streams that are left");
        state.grace_over.cancel();
        state.blocking.disconnect();
        // From now, not from when the grace should have ended: a process that woke up late would leave
        // no time at all.
        if timeout(LAST_BYTES_TIMEOUT, &mut serving).await.is_err() {
            // Its event loop stands still, so nobody there can be told anything.
            tracing::warn!("a worker did not stop: leaving it behind");
            serving.abort();
        }
    }
    Ok(())
}

fn serve(listener: TcpListener, settings: &Settings, state: Data<AppState>, routes: Routes) -> io::Result<Server> {
    let patience = settings.shutdown_grace + LAST_BYTES_TIMEOUT;
    let app = move || {
        // Each worker makes one of these for itself, as it has a pool for itself.
        let probe = Data::new(PoolProbe::default());
        App::new().app_data(state.clone()).app_data(probe).wrap(from_fn(observe)).configure(|config| routes(config))
    };
    let server = HttpServer::new(app)
        .workers(usize::from(settings.workers))
        .worker_max_blocking_threads(usize::from(settings.blocking_threads))
        .max_connections(connections_max(settings.workers))
        .client_request_timeout(HEAD_TIMEOUT)
        // Nagle's algorithm would hold a token back until the client has acknowledged the last.
        .tcp_nodelay(true)
        // Each token is written when it is there. actix would gather what a body has ready, which is
        // all of a stream that never lets go of its thread.
        .h1_write_buffer_size(1)
        // By default a client that closes its connection is taken for one that has only stopped
        // sending, and its call goes on until the next token cannot be written.
        .h1_allow_half_closed(false)
        .disable_signals()
        // actix counts in whole seconds and from its own start, so its limit is the outermost.
        .shutdown_timeout(patience.as_secs() + 1)
        .listen(listener)?;
    Ok(server.run())
}

/// Connections of each worker: no more than there are descriptors for, with another one to the vendor for each.
/// Of a server that accepted clients down to the last descriptor, each call would fail.
fn connections_max(workers: u16) -> usize {
    let available = rlimit::Resource::NOFILE.get_soft().ok().and_then(|soft| usize::try_from(soft).ok());
    let for_clients = available.unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_RESERVED) / 2;
    let max = (for_clients / usize::from(workers.max(1))).clamp(1, CONNECTIONS_MAX);
    if max < CONNECTIONS_MAX {
        tracing::warn!(
            "there are too few file descriptors for {CONNECTIONS_MAX} connections and their calls: {max} are accepted \
             at once, by each worker; raise the limit (ulimit -n)"
        );
    }
    max
}
