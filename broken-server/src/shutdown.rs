//! How the server stops, in order. A mistake may stop it in another way, of the same steps.

use std::io;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::Data;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::settings::Settings;
use crate::state::AppState;

/// How long the server goes on accepting connections during a shutdown, so that a load balancer that polls `/ready`
/// can see it before connections are refused.
const READY_NOTICE: Duration = Duration::from_millis(250);

/// How long the last bytes of truncated streams may take. actix checks once a second whether its connections are
/// closed, so a shorter time would lose those bytes.
const LAST_BYTES_TIMEOUT: Duration = Duration::from_secs(2);

/// Stops a server that was asked to.
pub(crate) type Shutdown = fn(RunningServer, &Settings) -> BoxFuture<'_, ()>;

/// The right order: `/ready` says so at once, and new calls are rejected; a little later connections are refused;
/// running streams may go on for [`Settings::shutdown_grace`], and those still open then end with an error event.
pub(crate) async fn drain(mut server: RunningServer, settings: &Settings) {
    let grace_ends = Instant::now() + settings.shutdown_grace;
    server.announce(settings).await;
    server.finish_connections();
    if timeout_at(grace_ends, server.ended()).await.is_ok() {
        return;
    }
    tracing::info!("the grace is over: ending the streams that are still open");
    server.end_streams();
    // From now, not from the end of the grace: a process that was paused meanwhile would leave no time.
    if timeout(LAST_BYTES_TIMEOUT, server.ended()).await.is_err() {
        // Its event loop is blocked, so it cannot react.
        tracing::warn!("a worker did not stop in time: abandoning it");
        server.abandon();
    }
}

/// A server that runs, and the steps of its end.
pub(crate) struct RunningServer {
    state: Data<AppState>,
    handle: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
}

impl RunningServer {
    /// Runs `server`.
    pub(crate) fn start(server: Server, state: Data<AppState>) -> Self {
        RunningServer { state, handle: server.handle(), serving: tokio::spawn(server) }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// The reason why it ended without being asked to.
    pub(crate) async fn ended(&mut self) -> io::Result<()> {
        (&mut self.serving).await.unwrap_or_else(|panic| Err(io::Error::other(panic)))
    }

    /// Says at `/ready` that it stops and rejects new calls, and leaves a load balancer time to see it.
    pub(crate) async fn announce(&self, settings: &Settings) {
        self.state.draining.cancel();
        sleep(READY_NOTICE.min(settings.shutdown_grace)).await;
    }

    /// Refuses new connections, and ends when the last request on each of the others has been answered, streams
    /// included. It sets no limit to that.
    pub(crate) fn finish_connections(&self) {
        // This sends the command. When it has been carried out, the server has ended.
        drop(self.handle.stop(true));
    }

    /// Refuses new connections, and closes the others at once, in the middle of their streams.
    pub(crate) fn close_connections(&self) {
        drop(self.handle.stop(false));
    }

    /// Ends the streams that are still open, with an error event.
    fn end_streams(&self) {
        self.state.grace_over.cancel();
        self.state.blocking.disconnect();
    }

    /// Leaves workers alone that do not stop.
    fn abandon(self) {
        self.serving.abort();
    }
}
