//! The HTTP server: sockets and limits.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use futures_util::future::BoxFuture;
use tokio::net::TcpSocket;

use crate::api::{PoolProbe, Routes};
use crate::cli::Cli;
use crate::observe::observe;
use crate::settings::Settings;
use crate::shutdown::RunningServer;
use crate::state::{AppState, StartError};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Connections per worker, if there are descriptors for them; more wait in the backlog.
const CONNECTIONS_MAX: usize = 25_000;

/// Descriptors for other things than connections.
const DESCRIPTORS_RESERVED: usize = 64;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Serves on `listener` until `shutdown` is ready, then stops in order (`shutdown.rs`), unless the mistake is that it
/// stops in another way.
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
    let admission = (cli.mistake.admission)(&settings.limits);
    let state = Data::new(AppState::new(settings, admission)?);
    let routes = (cli.mistake.routes)(settings)?;
    let mut server = RunningServer::start(serve(listener, settings, state.clone(), routes)?, state);
    tokio::select! {
        stopped = server.ended() => return stopped.map_err(Into::into),
        () = shutdown => {}
    }
    (cli.mistake.shutdown)(server, settings).await;
    Ok(())
}

fn serve(listener: TcpListener, settings: &Settings, state: Data<AppState>, routes: Routes) -> io::Result<Server> {
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
        // Never: actix would close the connections without an error event. The limit is in `shutdown.rs`.
        .shutdown_timeout(u64::MAX)
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
