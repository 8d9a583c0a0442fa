//! The server: from a listener to its orderly end.

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

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// How long the server goes on accepting after it has been told to stop, so that a balancer that
/// looks at `/ready` can see it before connections are refused.
const DRAIN_NOTICE: Duration = Duration::from_millis(250);

/// How long the last bytes of cut streams may take.
const CUT_MARGIN: Duration = Duration::from_millis(500);

/// How long the results of sessions' calls may take to be stored when the grace is over: those of the
/// streams that were cut come then.
const RESULTS_MARGIN: Duration = Duration::from_millis(250);

/// Listens on `addr`.
///
/// # Errors
/// When the address is in use or not this machine's.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just stopped leaves connections in TIME_WAIT; they are no reason not to start.
    socket.set_reuseaddr(true)?;
    net::bound_send_buffer(&socket)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// A server that has all it needs but a listener.
#[derive(Debug)]
pub struct Server {
    state: Shared,
    connections_max: NonZeroUsize,
}

impl Server {
    /// Sets up what all requests share, the database included.
    ///
    /// Boxed, as [`Server::run`] is: the future of an `async fn` is compiled where it is polled, and the
    /// program would compile the whole server a second time.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open(settings: &Settings) -> BoxFuture<'_, Result<Self, StartError>> {
        Box::pin(async move {
            let metrics = Arc::new(Metrics::new());
            let sessions = Sessions::open(&settings.sessions(), metrics.database.clone()).await?;
            let state = Arc::new(AppState::new(settings, metrics, sessions)?);
            Ok(Server { state, connections_max: net::connections_max(settings) })
        })
    }

    /// Serves on `listener` until `shutdown` is ready, then stops in order:
    ///
    /// 1. `/ready` says so at once and new calls are refused, so that a balancer looks elsewhere;
    /// 2. a moment later no connection is accepted any more;
    /// 3. running streams may go on for the shutdown grace;
    /// 4. what is left then ends with an error event, and who does not read that is dropped. Waiting for
    ///    streams without a limit, as a graceful shutdown alone does, would be waiting for ever;
    /// 5. what sessions' calls left behind is stored.
    pub fn run<'a>(self, listener: TcpListener, shutdown: BoxFuture<'a, ()>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let grace_ends = serve(&self, listener, shutdown).await;
            self.state.sessions.finish(grace_ends.max(Instant::now() + RESULTS_MARGIN)).await;
        })
    }
}

/// Serves until the last connection is closed, and returns when the grace ends or has ended.
async fn serve(server: &Server, listener: TcpListener, shutdown: BoxFuture<'_, ()>) -> Instant {
    let Server { state, connections_max } = server;
    let stop = net::Stop::default();
    let grace = state.limits.shutdown_grace;
    let serving =
        net::serve(listener, *connections_max, api::router(state.clone()), &state.limits, &state.metrics, &stop);
    tokio::pin!(serving);
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
    if timeout_at(grace_ends, &mut serving).await.is_err() {
        tracing::info!("the grace is over: ending the streams that are left");
        state.grace_over.cancel();
        // From now, not from when the grace should have ended: a process that woke up late would leave
        // no time at all.
        if timeout(CUT_MARGIN, &mut serving).await.is_err() {
            tracing::warn!("some clients do not read the end of their streams: dropping their connections");
            stop.now.cancel();
            serving.await;
        }
    }
    grace_ends
}
