//! Sockets: how connections are accepted and served.
//!
//! actix-web's `HttpServer` does the same, but writes to a client without a time limit: one that does not read would
//! keep its call, and the call's permit, for as long as it stays connected.

use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use gateway::write_timeout;
use tokio::net::TcpStream;

use crate::api::{PoolProbe, Routes};
use crate::observe::observe;
use crate::settings::Settings;
use crate::state::AppState;

/// Connections per worker, if there are descriptors for them; more wait in the backlog.
const CONNECTIONS_MAX: usize = 25_000;

/// Descriptors for other things than connections.
const DESCRIPTORS_RESERVED: usize = 64;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves `routes` on `listener`.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) fn serve(
    listener: TcpListener,
    settings: &Settings,
    state: Data<AppState>,
    routes: Routes,
) -> io::Result<Server> {
    let server = Server::build()
        .workers(usize::from(settings.workers))
        .worker_max_blocking_threads(usize::from(settings.blocking_threads))
        .max_concurrent_connections(connections_max(settings.workers))
        .disable_signals()
        // Never: actix would close the connections without an error event. The limit is in `shutdown.rs`.
        .shutdown_timeout(u64::MAX);
    let stopping = server.graceful_shutdown_signal();
    let (limit, kept) = (settings.write_timeout, settings.keep_alive_timeout);
    let worker = move || {
        let (stopping, routes, counted) = (stopping.clone(), routes.clone(), state.clone());
        // Each worker has its own, as it has its own pool.
        let probe = Data::new(PoolProbe::default());
        let app = App::new().app_data(state.clone()).app_data(probe).wrap(from_fn(observe));
        let app = map_config(app.configure(|config| routes(config)), |()| AppConfig::default());
        let http = HttpService::build()
            .client_request_timeout(HEAD_TIMEOUT)
            .keep_alive(kept)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            // Each token is written as soon as it is there. actix would collect all that a body has ready, which is
            // the whole stream if it blocks its thread.
            .h1_write_buffer_size(1)
            // By default a client that closes its connection is treated as one that has only stopped sending, and its
            // call goes on until a token cannot be written.
            .h1_allow_half_closed(false)
            // Idle connections are closed at once in a shutdown.
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .h1(app.map_err(|error: actix_web::Error| error.error_response()));
        let connection = move |stream: TcpStream| {
            // Nagle's algorithm would hold a token back until the client has acknowledged the one before.
            let _ = stream.set_nodelay(true);
            let peer = stream.peer_addr().ok();
            ready(Ok((write_timeout(stream, limit), peer)))
        };
        fn_service(connection).and_then(http).map_err(move |error| ended_early(&error, &counted))
    };
    Ok(server.listen("broken-server", listener, worker)?.run())
}

/// Counts a connection whose client did not read.
fn ended_early(error: &DispatchError, state: &AppState) {
    if matches!(error, DispatchError::Io(cause) if cause.kind() == io::ErrorKind::TimedOut) {
        state.metrics.write_timeout();
    }
    tracing::debug!(%error, "a connection ended early");
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
