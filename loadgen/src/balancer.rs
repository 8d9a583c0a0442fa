//! A small load balancer: a reverse proxy that sends each request to the next backend that is ready.
//!
//! It is what stands between clients and replicas in production, reduced to what the labs need: readiness probes,
//! round robin, connections that it keeps and reuses, and counts of what it answered itself. It never sends a request
//! twice, except one that was not sent because its kept connection had been closed.

mod answer;
mod backends;
mod connector;
mod forward;
mod readiness;
mod relayed_body;
mod settings;
mod stats;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use self::backends::Backends;
use self::forward::Forwarder;
pub use settings::{BalancerSettings, ReadinessRules};
pub use stats::{BackendStats, BalancerStats, ReadyBackends, STATS_PATH};

/// Pause after a failed accept (no descriptor left): retrying at once would only use CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Balances the requests on `listener` until this future is dropped, and with it all connections.
pub async fn balance(listener: TcpListener, settings: BalancerSettings) -> Infallible {
    let backends = Arc::new(Backends::new(settings.backends));
    let _probes = readiness::watch(&backends, &settings.readiness);
    let retry_after = settings.readiness.period;
    let forwarder = Arc::new(Forwarder::new(backends, settings.idle_timeout, settings.silence_timeout, retry_after));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(serve(client, forwarder.clone()))),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(client: TcpStream, forwarder: Arc<Forwarder>) {
    // Otherwise a token would wait until the client has acknowledged the one before.
    if client.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| {
        let forwarder = forwarder.clone();
        async move { Ok::<_, Infallible>(forwarder.answer(request).await) }
    });
    // An error is the client's: it has closed its connection, or sends no HTTP. What a backend does wrong is counted.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(client), service).await;
}
