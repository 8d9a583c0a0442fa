//! The HTTP server, from its start to the signal to stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::rt;
use actix_web::web::Data;
use futures_util::future::BoxFuture;
use program::watchdog::Heart;
use resilience::Admission;
use tokio::net::TcpSocket;

use crate::api::Routes;
use crate::cli::Cli;
use crate::net;
use crate::shutdown::RunningServer;
use crate::state::{AppState, StartError};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

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
/// stops in another way. Under a watchdog, its event loop sends the heartbeats of `heart`.
///
/// Boxed: the future of an `async fn` is compiled in the crate that polls it, so the program would compile the whole
/// server a second time.
///
/// # Errors
/// See [`StartError`]. A shutdown that was requested is no error.
pub fn run<'a>(
    listener: TcpListener,
    cli: &'a Cli,
    heart: Option<Heart>,
    shutdown: BoxFuture<'a, ()>,
) -> BoxFuture<'a, Result<(), StartError>> {
    Box::pin(serve_until(listener, cli, heart, shutdown))
}

async fn serve_until(
    listener: TcpListener,
    cli: &Cli,
    heart: Option<Heart>,
    shutdown: BoxFuture<'_, ()>,
) -> Result<(), StartError> {
    let settings = &cli.settings;
    let (of_all, of_models) = ((cli.mistake.admission)(settings), (cli.mistake.model_rates)(settings));
    let admission = Admission::with_classes(of_all, of_models);
    let state = Data::new(AppState::new(settings, admission, (cli.mistake.users)(settings)).await?);
    let routes = beating((cli.mistake.routes)(settings)?, heart);
    let mut server = RunningServer::start(net::serve(listener, settings, state.clone(), routes)?, state);
    tokio::select! {
        stopped = server.ended() => return stopped.map_err(Into::into),
        () = shutdown => {}
    }
    (cli.mistake.shutdown)(server, settings).await;
    Ok(())
}

/// The same routes; the worker that registers them sends heartbeats from its event loop.
fn beating(routes: Routes, heart: Option<Heart>) -> Routes {
    Arc::new(move |config| {
        if let Some(heart) = heart.clone() {
            rt::spawn(heart.beat());
        }
        routes(config);
    })
}
