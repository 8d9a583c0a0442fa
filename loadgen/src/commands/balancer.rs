//! `loadgen balancer`

use std::net::SocketAddr;

use program::stderr::print_line;
use tokio::net::{TcpListener, TcpSocket};

use super::CommandError;
use crate::balancer::{self, BalancerSettings, ReadinessRules};
use crate::cli::BalancerArgs;
use crate::descriptors::raise_descriptor_limit;
use crate::http::{Endpoint, EndpointError};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Balances until this future is dropped, which a signal does.
pub(super) async fn execute(args: &BalancerArgs) -> Result<u8, CommandError> {
    let backends = args.backends.iter().map(|url| Endpoint::parse(url)).collect::<Result<Vec<_>, EndpointError>>()?;
    let readiness = ReadinessRules {
        path: args.ready_path.clone(),
        period: args.period,
        timeout: args.timeout,
        failure_threshold: args.failure_threshold,
    };
    let settings = BalancerSettings {
        backends,
        readiness,
        idle_timeout: args.reuse_connections.then_some(args.idle_timeout),
        silence_timeout: args.silence_timeout,
    };
    let own_error = |what: &str, source| CommandError::Server { what: what.to_owned(), source };
    program::parent::exit_with_parent().map_err(|source| own_error("watch the parent process", source))?;
    // With fewer it works too, for fewer clients.
    let _ = raise_descriptor_limit();
    let listening = || -> std::io::Result<(TcpListener, SocketAddr)> {
        let listener = bind(args.listen)?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    };
    let (listener, addr) = listening().map_err(|source| own_error(&format!("listen on {}", args.listen), source))?;
    print_line(&format!("balancer: listening on http://{addr}"));
    match balancer::balance(listener, settings).await {}
}

fn bind(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Without it the port of a balancer that has just stopped would be in use for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}
