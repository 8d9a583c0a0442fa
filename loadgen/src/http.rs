//! One HTTP/1.1 exchange on one fresh connection.
//!
//! The instrument must not share what it measures: a pooled client would hide a server that has
//! stopped accepting, and its own pool would be a queue that nobody sees.

mod endpoint;
mod kept;

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

pub use endpoint::{Endpoint, EndpointError};
pub use kept::KeptConnection;

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
}

impl HttpError {
    /// A word for counting failures by cause.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            HttpError::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => "connection refused",
            HttpError::Connect(_) => "no connection",
            HttpError::Exchange(_) => "closed before an answer",
            HttpError::Body(_) => "broke off",
        }
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

/// Sends `request` on a connection of its own and gives the status and the whole body of the answer.
///
/// # Errors
/// [`HttpError`]. There is no time-out: the caller has one.
pub async fn ask(endpoint: &Endpoint, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), HttpError> {
    let mut exchange = send(endpoint, request).await?;
    let status = exchange.response.status().as_u16();
    let body = exchange.response.body_mut().collect().await.map_err(HttpError::Body)?;
    Ok((status, body.to_bytes()))
}
