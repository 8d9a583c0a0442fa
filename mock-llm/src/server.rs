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

/// Connections that may wait to be accepted. The usual 128 overflows when a load starts at once.
const BACKLOG: u32 = 4096;

/// Pause after a failed accept (no descriptor is left): retrying at once would only burn CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on `addr`. Port 0 picks one.
///
/// # Errors
/// What the operating system says, such as that the address is in use.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Without it a restarted program finds its port busy for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Is the vendor until `shutdown`, then drops all connections.
///
/// Boxed, both of them: the future of an `async fn` is compiled where it is polled, and the program
/// would compile the whole server a second time.
pub fn run(listener: TcpListener, settings: Settings, shutdown: BoxFuture) -> BoxFuture {
    Box::pin(serve(listener, Vendor::new(settings), shutdown))
}

/// A future of any kind.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) async fn serve(listener: TcpListener, vendor: Arc<Vendor>, mut shutdown: BoxFuture) {
    // Dropping the set aborts what is in it: no connection outlives its server.
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
