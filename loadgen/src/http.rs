//! One HTTP/1.1 exchange on one fresh connection.
//!
//! The instrument must not share what it measures: a pooled client would hide a server that has
//! stopped accepting, and its own pool would be a queue that nobody sees.

mod endpoint;
mod keep_alive;

use std::io;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

pub use endpoint::{Endpoint, EndpointError};
pub use keep_alive::KeepAliveConnection;

/// Largest answer to a question of the generator's own, in bytes (4 MiB): far over any health check or
/// ledger. What a server may send without end is counted, not kept.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error("connect: {0}")]
    Connect(#[source] io::Error),
    /// A connection, but no answer.
    #[error("no answer: {0}")]
    Exchange(#[source] hyper::Error),
    /// An answer whose body broke off.
    #[error("body: {0}")]
    Body(#[source] hyper::Error),
    /// An answer over [`ANSWER_BYTES_MAX`].
    #[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
}

/// What is counted for a request that the generator could not send.
pub const OWN_LIMIT: &str = "not sent: the generator has no descriptor or port left";

impl HttpError {
    /// A word for counting failures by cause.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            _ if self.is_own_limit() => OWN_LIMIT,
            HttpError::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => "connection refused",
            HttpError::Connect(_) => "no connection",
            HttpError::Exchange(_) => "closed before an answer",
            HttpError::Body(_) => "broke off",
            HttpError::TooLarge => "answer too large",
        }
    }

    /// Whether this process had no descriptor or port left for a connection: that says nothing of the
    /// server.
    #[must_use]
    pub fn is_own_limit(&self) -> bool {
        // EMFILE and ENFILE, which have these numbers on Linux, macOS and the BSDs.
        const NO_DESCRIPTOR: [i32; 2] = [24, 23];
        let HttpError::Connect(error) = self else { return false };
        error.kind() == io::ErrorKind::AddrNotAvailable
            || error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code))
    }
}

/// An answer under way. Dropped, it closes its connection.
pub struct Exchange {
    /// The head, and the body as it comes.
    pub response: Response<Incoming>,
    _connection: AbortOnDropHandle<()>,
}

/// Sends `request` on a connection of its own and waits for the head of the answer.
///
/// # Errors
/// [`HttpError::Connect`] or [`HttpError::Exchange`]. There is no time-out: the caller has one.
pub async fn send(endpoint: &Endpoint, request: Request<Full<Bytes>>) -> Result<Exchange, HttpError> {
    let (mut sender, driver) = connect(endpoint).await?;
    let response = sender.send_request(request).await.map_err(HttpError::Exchange)?;
    Ok(Exchange { response, _connection: driver })
}

async fn connect(endpoint: &Endpoint) -> Result<(http1::SendRequest<Full<Bytes>>, AbortOnDropHandle<()>), HttpError> {
    let stream = TcpStream::connect(endpoint.addr()).await.map_err(HttpError::Connect)?;
    stream.set_nodelay(true).map_err(HttpError::Connect)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::Exchange)?;
    let driver = tokio::spawn(async move {
        // An error here reaches the caller through the request or the body.
        let _ = connection.await;
    });
    Ok((sender, AbortOnDropHandle::new(driver)))
}

/// Sends `request` on a connection of its own, reads the answer to its end, and gives its status and the
/// first `keep` bytes of its body.
///
/// # Errors
/// [`HttpError`], also for an answer that is too large. There is no time-out: the caller has one.
pub async fn fetch(endpoint: &Endpoint, request: Request<Full<Bytes>>, keep: usize) -> Result<(u16, Bytes), HttpError> {
    let mut exchange = send(endpoint, request).await?;
    let status = exchange.response.status().as_u16();
    Ok((status, read_to_end(exchange.response.body_mut(), keep).await?))
}

/// Reads a body to its end, keeps its first `keep` bytes and drops the others as they come.
async fn read_to_end(body: &mut Incoming, keep: usize) -> Result<Bytes, HttpError> {
    let (mut kept, mut read) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(HttpError::Body)?;
        let Some(piece) = frame.data_ref() else { continue };
        read += piece.len();
        if read > ANSWER_BYTES_MAX {
            return Err(HttpError::TooLarge);
        }
        kept.extend_from_slice(&piece[..piece.len().min(keep - kept.len())]);
    }
    Ok(kept.freeze())
}
