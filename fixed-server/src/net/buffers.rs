//! Limits on what the system buffers for a client that does not read.

use std::io;

use tokio::net::TcpSocket;

/// Most bytes that the system buffers for one client, sent and not acknowledged. By default it buffers megabytes: hours
/// of tokens for a client that reads none.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// Unsent bytes from which on a socket counts as not writable. Bytes remain unsent when the client's own buffer is full;
/// the write timeout begins then. A client that reads never has as many.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 4 * 1024;

/// Limits what is buffered for a client. It is set on the listening socket, and each connection inherits it.
///
/// On macOS unsent bytes cannot be limited: there the write timeout begins when the whole buffer is full.
///
/// # Errors
/// If the system refuses.
pub(crate) fn bound_send_buffer(listening: &TcpSocket) -> io::Result<()> {
    listening.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket2::SockRef::from(listening).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    Ok(())
}
