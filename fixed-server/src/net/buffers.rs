//! Limits on what the system holds for a client that does not read.

use std::io;

use tokio::net::TcpSocket;

/// Most bytes that the system holds for one client, sent and not acknowledged. LeftOpen to itself it takes
/// megabytes: enough for files over the longest of lines, and hours of tokens for a client that reads none.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// From so many bytes on that cannot even be sent, because the client's own buffer is full, a socket counts
/// as not writable. The write timeout begins then. A client that reads has none that cannot be sent.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 4 * 1024;

/// Bounds what is buffered for a client. Set on the socket that listens, each connection inherits it, at no
/// cost for those that read.
///
/// Where there is no limit on what is unsent, as tokio offers none for macOS, the buffer's size is the only
/// one: the write timeout begins when that is full.
///
/// # Errors
/// When the system refuses.
pub(crate) fn bound_send_buffer(listening: &TcpSocket) -> io::Result<()> {
    listening.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket2::SockRef::from(listening).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    Ok(())
}
