//! One HTTP/1.1 exchange on one fresh connection.
//!
//! A pooled client would hide a server that has stopped accepting connections, and its pool would be a queue
//! of its own.

mod endpoint;
mod keep_alive;
#[cfg(not(feature = "tls"))]
mod no_tls;
mod target_url;
#[cfg(feature = "tls")]
mod tls;

use std::io;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::task::AbortOnDropHandle;

pub use endpoint::Endpoint;
pub use keep_alive::KeepAliveConnection;
#[cfg(not(feature = "tls"))]
use no_tls as tls;
pub use target_url::{Allowed, Certificates, EndpointError};

/// Largest answer to a request of the generator itself, in bytes (4 MiB): far over any health check.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error("connect: {0}")]
    Connect(#[source] io::Error),
    /// Connected, but not securely.
    #[error("TLS: {0}")]
    Tls(#[source] io::Error),
    /// Connected, but no answer.
    #[error("no answer: {0}")]
    Exchange(#[source] hyper::Error),
    /// The body was truncated.
    #[error("body: {0}")]
    Body(#[source] hyper::Error),
    /// An answer over the limit in bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// The cause that is counted where nothing listens.
pub const REFUSED: &str = "connection refused";
/// The cause that is counted for a request that the generator could not send.
pub const OWN_LIMIT: &str = "not sent: the generator has no descriptor or port left";

impl HttpError {
    /// The cause by which failures are counted.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            _ if self.is_own_limit() => OWN_LIMIT,
            HttpError::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => REFUSED,
            HttpError::Connect(_) => "no connection",
            HttpError::Tls(_) => "no TLS connection",
            HttpError::Exchange(_) => "closed before an answer",
            HttpError::Body(_) => "broke off",
            HttpError::TooLarge(_) => "answer too large",
        }
    }

    /// Whether this process had no descriptor or port left, which says nothing about the server.
    #[must_use]
    pub fn is_own_limit(&self) -> bool {
        // EMFILE and ENFILE on Linux, macOS and the BSDs.
        const NO_DESCRIPTOR: [i32; 2] = [24, 23];
        let HttpError::Connect(error) = self else { return false };
        error.kind() == io::ErrorKind::AddrNotAvailable
            || error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code))
    }
}

/// An answer that is being received. Dropped, it closes its connection.
pub struct Exchange {
    /// The head, and the body as it comes.
    pub response: Response<Incoming>,
    _connection: AbortOnDropHandle<()>,
}

impl Exchange {
    /// Reads the body to its end, and returns its first `keep` bytes.
    ///
    /// # Errors
    /// [`HttpError`], also for a body that is too large.
    pub async fn read_to_end(&mut self, keep: usize) -> Result<Bytes, HttpError> {
        read_to_end(self.response.body_mut(), keep).await
    }
}

/// How much of an answer may be on its way to a client that does not read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receive {
    /// As much as the system chooses, megabytes among them: for a client that reads everything at once.
    AtOnce,
    /// Some kilobytes, so that a server soon notices that its client does not read.
    Little,
}

/// Sends `request` on a new connection and waits for the head of the answer.
///
/// # Errors
/// [`HttpError::Connect`] or [`HttpError::Exchange`]. There is no time-out; the caller sets one.
pub async fn send(endpoint: &Endpoint, request: Request<Full<Bytes>>, receive: Receive) -> Result<Exchange, HttpError> {
    let (mut sender, driver) = connect(endpoint, receive).await?;
    let response = sender.send_request(request).await.map_err(HttpError::Exchange)?;
    Ok(Exchange { response, _connection: driver })
}

type Connection = (http1::SendRequest<Full<Bytes>>, AbortOnDropHandle<()>);

async fn connect(endpoint: &Endpoint, receive: Receive) -> Result<Connection, HttpError> {
    /// The system's receive buffer, and the least that hyper accepts for its own.
    const LITTLE: (u32, usize) = (8 * 1024, 8 * 1024);
    let mut http = http1::Builder::new();
    let stream = match receive {
        Receive::AtOnce => TcpStream::connect(endpoint.addr()).await,
        Receive::Little => {
            http.max_buf_size(LITTLE.1);
            connect_with_buffer(endpoint, LITTLE.0).await
        }
    };
    let stream = stream.map_err(HttpError::Connect)?;
    stream.set_nodelay(true).map_err(HttpError::Connect)?;
    match endpoint.tls() {
        None => drive(&http, stream).await,
        Some(tls) => drive(&http, tls.connect(stream).await.map_err(HttpError::Tls)?).await,
    }
}

async fn drive(
    http: &http1::Builder,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Connection, HttpError> {
    let (sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(HttpError::Exchange)?;
    let driver = tokio::spawn(async move {
        // An error here reaches the caller through the request or the body.
        let _ = connection.await;
    });
    Ok((sender, AbortOnDropHandle::new(driver)))
}

/// Connects to a server, with TLS where it has it, and closes the connection again.
///
/// # Errors
/// [`HttpError`] if it cannot be reached. There is no time-out; the caller sets one.
pub async fn reach(endpoint: &Endpoint) -> Result<(), HttpError> {
    connect(endpoint, Receive::AtOnce).await.map(drop)
}

/// The size must be set before the connection is made: it decides the window that is offered to the server.
async fn connect_with_buffer(endpoint: &Endpoint, bytes: u32) -> io::Result<TcpStream> {
    let addr = endpoint.addr();
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_recv_buffer_size(bytes)?;
    socket.connect(addr).await
}

/// Sends `request` on a new connection, reads the whole answer, and returns its status and the first `keep` bytes
/// of its body.
///
/// # Errors
/// [`HttpError`], also for an answer over [`ANSWER_BYTES_MAX`] and `keep`. There is no time-out; the caller sets one.
pub async fn fetch(endpoint: &Endpoint, request: Request<Full<Bytes>>, keep: usize) -> Result<(u16, Bytes), HttpError> {
    let mut exchange = send(endpoint, request, Receive::AtOnce).await?;
    let status = exchange.response.status().as_u16();
    Ok((status, exchange.read_to_end(keep).await?))
}

/// [`fetch`] of `GET path` without headers of its own.
///
/// # Errors
/// As [`fetch`].
pub async fn get(endpoint: &Endpoint, path: &str, keep: usize) -> Result<(u16, Bytes), HttpError> {
    get_with_headers(endpoint, path, &[], keep).await
}

/// The same, with these headers.
///
/// # Errors
/// As [`get`].
pub async fn get_with_headers(
    endpoint: &Endpoint,
    path: &str,
    headers: &[(String, String)],
    keep: usize,
) -> Result<(u16, Bytes), HttpError> {
    fetch(endpoint, endpoint.request("GET", path, headers, Bytes::new()), keep).await
}

/// The header that has this API key.
#[must_use]
pub fn bearer(key: &str) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {key}"))
}

/// Reads a body to its end and keeps its first `keep` bytes.
async fn read_to_end(body: &mut Incoming, keep: usize) -> Result<Bytes, HttpError> {
    let (mut kept, mut read) = (BytesMut::new(), 0);
    let limit = keep.max(ANSWER_BYTES_MAX);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(HttpError::Body)?;
        let Some(piece) = frame.data_ref() else { continue };
        read += piece.len();
        if read > limit {
            return Err(HttpError::TooLarge(limit));
        }
        kept.extend_from_slice(&piece[..piece.len().min(keep - kept.len())]);
    }
    Ok(kept.freeze())
}
