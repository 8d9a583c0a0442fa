//! `loadgen serve`

use std::convert::Infallible;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::CommandError;
use crate::cli::ServeArgs;
use crate::http::{self, ANSWER_BYTES_MAX, Endpoint};
use crate::playground;
use crate::session::{Session, SessionOptions};

/// Serves until this future is dropped, which a signal does, and every program with it.
pub(super) async fn execute(args: &ServeArgs) -> Result<Infallible, CommandError> {
    let own_error = |what: &str, source| CommandError::Server { what: what.to_owned(), source };
    program::parent::exit_with_parent().map_err(|source| own_error("watch the parent process", source))?;
    let program_dir = args.programs.dir().map_err(CommandError::ProgramDir)?;
    let start_timeout = args.programs.start_timeout;
    let session = Session::open(SessionOptions { start_timeout, ..SessionOptions::new(program_dir) }).await?;
    let (listener, addr) = match listen(args.port).await {
        Ok(listening) => listening,
        Err(source) if source.kind() == ErrorKind::AddrInUse => return Err(taken(args.port).await),
        Err(source) => return Err(own_error(&format!("listen on 127.0.0.1:{}", args.port), source)),
    };
    // Whoever started it may not read this.
    let _ = writeln!(
        io::stderr(),
        "loadgen: listening on http://{addr}\n  Open it in a browser on this machine. Ctrl-C stops it, and all programs \
         that it has started."
    );
    Ok(playground::serve(listener, session).await)
}

async fn listen(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// Says who has the port, as far as that can be found out.
async fn taken(port: u16) -> CommandError {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let other = Endpoint::at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let asked = timeout(TIMEOUT, http::get(&other, "/api/catalogue", ANSWER_BYTES_MAX)).await;
    let catalogue = asked.ok().and_then(Result::ok).and_then(|(_, body)| serde_json::from_slice::<Value>(&body).ok());
    let who = if catalogue.is_some_and(|catalogue| catalogue.get("mistakes").is_some()) {
        format!("by another `loadgen serve`: open {other}, or")
    } else {
        "by another program (on macOS it may be the AirPlay receiver):".to_owned()
    };
    CommandError::PortTaken { port, who }
}
