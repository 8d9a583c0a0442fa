use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use resilience::InvalidSetting;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::api;
use crate::net;
use crate::settings::Settings;
use crate::state::AppState;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// How long the server goes on accepting after it has been told to stop, so that a balancer that
/// looks at `/ready` can see it before connections are refused.
const DRAIN_NOTICE: Duration = Duration::from_millis(250);

/// How long the last bytes of cut streams may take.
const CUT_MARGIN: Duration = Duration::from_millis(500);

/// Why a server could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The client for the vendor could not be set up.
    #[error("cannot set up the vendor's client: {0}")]
    Client(#[from] reqwest::Error),
    /// A limit is none that can be kept.
    #[error("cannot set up the limits: {0}")]
    Limits(#[from] InvalidSetting),
}

/// Listens on `addr`.
///
/// # Errors
/// When the address is in use or not this machine's.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just stopped leaves connections in TIME_WAIT; they are no reason not to start.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves on `listener` until `shutdown` is ready, then stops in order:
///
/// 1. `/ready` says so at once and new calls are refused, so that a balancer looks elsewhere;
/// 2. a moment later no connection is accepted any more;
/// 3. running streams may go on for the shutdown grace;
/// 4. what is left then ends with an error event, and who does not read that is dropped. Waiting for
///    streams without a limit, as a graceful shutdown alone does, would be waiting for ever.
///
/// # Errors
/// See [`RunError`]. A stop that was asked for is none.
pub async fn run(
    listener: TcpListener,
    settings: &Settings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let state = Arc::new(AppState::new(settings)?);
    let stop = net::Stop::default();
    let grace = settings.limits.shutdown_grace;
    let serving = net::serve(listener, api::router(state.clone()), &settings.limits, &state.metrics, &stop);
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
        () = &mut serving => return Ok(()),
    };
    if timeout_at(grace_ends, &mut serving).await.is_err() {
        tracing::info!("the grace is over: ending the streams that are left");
        state.cut.cancel();
        // From now, not from when the grace should have ended: a process that woke up late would leave
        // no time at all.
        if timeout(CUT_MARGIN, &mut serving).await.is_err() {
            tracing::warn!("some clients do not read the end of their streams: dropping their connections");
            stop.now.cancel();
            serving.await;
        }
    }
    Ok(())
}
