//! The listening socket, and the loop that accepts connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use crate::connection;
use crate::settings::Settings;
use crate::vendor::Vendor;

/// Connections that may wait to be accepted. The default of 128 overflows when many clients connect at once.
const BACKLOG: u32 = 4096;

/// Pause after a failed accept (no descriptor left): retrying at once would only use CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on `addr`. Port 0 picks a free one.
///
/// # Errors
/// The error of the operating system, such as that the address is in use.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Without it the port of a restarted program would be in use for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Runs the vendor until `shutdown`, then drops all connections.
///
/// Both futures are boxed: the future of an `async fn` is compiled where it is polled, and the program would compile
/// the server a second time.
pub fn run(listener: TcpListener, settings: Settings, shutdown: BoxFuture) -> BoxFuture {
    Box::pin(serve(listener, Vendor::new(settings), shutdown))
}

/// A boxed future without output.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) async fn serve(listener: TcpListener, vendor: Arc<Vendor>, mut shutdown: BoxFuture) {
    // Dropping the set aborts its tasks: no connection outlives the server.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => drop(connections.spawn(connection::serve(socket, Arc::clone(&vendor)))),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection's task failed");
                }
            }
            () = &mut shutdown => return,
        }
    }
}
