//! The server, from a listener to its graceful shutdown.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::api;
use crate::net;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::state::{AppState, Shared, StartError};
use crate::telemetry::Metrics;

/// Connections that can wait to be accepted.
const BACKLOG: u32 = 4096;

/// How long the server keeps accepting after shutdown begins, so that a balancer that polls `/ready` notices before
/// connections are refused.
const DRAIN_NOTICE: Duration = Duration::from_millis(250);

/// How long sending the error event may take to streams that are ended when the grace is over.
const ERROR_EVENT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long storing the results of sessions' calls may take when the grace is over: the streams that are ended then
/// have results too.
const RESULTS_TIMEOUT: Duration = Duration::from_millis(250);

/// Listens on `addr`.
///
/// # Errors
/// When the address is in use or not this machine's.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of an earlier server in TIME_WAIT must not keep this one from starting.
    socket.set_reuseaddr(true)?;
    net::bound_send_buffer(&socket)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// A server that is ready to serve on a listener.
#[derive(Debug)]
pub struct Server {
    state: Shared,
    connections_max: NonZeroUsize,
}

impl Server {
    /// Sets up what all requests share, including the database.
    ///
    /// Boxed, as [`Server::run`] is: the future of an `async fn` is compiled where it is polled, and the
    /// program would compile the whole server a second time.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open(settings: &Settings) -> BoxFuture<'_, Result<Self, StartError>> {
        Box::pin(async move {
            let metrics = Metrics::new();
            let sessions = Sessions::open(&settings.sessions(), metrics.database.clone()).await?;
            let state = Arc::new(AppState::new(settings, metrics, sessions)?);
            Ok(Server { state, connections_max: net::connections_max(settings) })
        })
    }

    /// Serves on `listener` until `shutdown` is ready, then stops in order:
    ///
    /// 1. `/ready` fails at once and new calls are rejected, so that a balancer stops sending requests;
    /// 2. a moment later no more connections are accepted;
    /// 3. running streams may continue for the shutdown grace;
    /// 4. the remaining ones then end with an error event, and the connections of clients that do not read it are
    ///    dropped. A graceful shutdown without this limit might never end;
    /// 5. the results of sessions' calls are stored.
    pub fn run<'a>(self, listener: TcpListener, shutdown: BoxFuture<'a, ()>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let grace_ends = serve(&self, listener, shutdown).await;
            self.state.sessions.finish(grace_ends.max(Instant::now() + RESULTS_TIMEOUT)).await;
        })
    }
}

/// Serves until the last connection is closed, and returns the time at which the grace ends.
async fn serve(server: &Server, listener: TcpListener, shutdown: BoxFuture<'_, ()>) -> Instant {
    let Server { state, connections_max } = server;
    let stop = net::Stop::default();
    let grace = state.limits.shutdown_grace;
    let serving =
        net::serve(listener, *connections_max, api::router(state.clone()), &state.limits, &state.metrics, &stop);
    tokio::pin!(serving);
    // ANCHOR: undrained-shutdown
    let stopping = async {
        shutdown.await;
        state.draining.cancel();
        let grace_ends = Instant::now() + grace;
        sleep(DRAIN_NOTICE.min(grace)).await;
        stop.gracefully.cancel();
        grace_ends
    };
    let grace_ends = tokio::select! {
        grace_ends = stopping => grace_ends,
        () = &mut serving => return Instant::now(),
    };
    // FIX undrained-shutdown: streams have the grace to end in, and none has more. The rest end with an error event, so
    // that no client takes half an answer for a whole one.
    if timeout_at(grace_ends, &mut serving).await.is_err() {
        tracing::info!("the grace is over: ending the remaining streams");
        state.grace_over.cancel();
        // Counted from now, not from the end of the grace: a process that woke up late would leave no time at all.
        if timeout(ERROR_EVENT_TIMEOUT, &mut serving).await.is_err() {
            tracing::warn!("some clients do not read the end of their streams: dropping their connections");
            stop.now.cancel();
            serving.await;
        }
    }
    // ANCHOR_END: undrained-shutdown
    grace_ends
}
