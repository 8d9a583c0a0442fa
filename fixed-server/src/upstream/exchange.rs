//! One request and its answer, on one connection.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use ureq_proto::client::state::{RecvResponse, SendRequest};
use ureq_proto::client::{Call, RecvResponseResult, SendRequestResult};

use super::answer::Body;
use super::connections::Connections;
use crate::errors::{Failure, UpstreamFailure};

/// Largest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Most informational answers (1xx) before the real one: a few early hints are usual, no end of them is not.
const INFORMATIONAL_MAX: u32 = 32;

/// Room for the lines of a request's head that are not the caller's: the first, `Host` and the
/// body's length, with names and line ends.
const OWN_LINES_BYTES: usize = 256;

/// Why an exchange failed that had a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Http(#[from] ureq_proto::Error),
    #[error("it was closed before the end of the answer")]
    Closed,
    #[error("the answer's head is larger than {HEAD_BYTES_MAX} bytes")]
    HeadTooLarge,
    #[error("more than {INFORMATIONAL_MAX} informational answers came, and no other")]
    OnlyInformational,
    #[error("a line of its chunked encoding has no end")]
    LineTooLong,
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        UpstreamFailure::Broken(error.to_string()).into()
    }
}

/// Sends `request` on one of `connections` and returns the head of the answer with its body, as
/// soon as the head is there.
///
/// # Errors
/// [`UpstreamFailure::Unreachable`] and [`UpstreamFailure::Broken`].
pub(super) async fn exchange(connections: &Connections, request: Request<Bytes>) -> Result<Response<Body>, Failure> {
    let (parts, body) = request.into_parts();
    let (call, mut bytes) = head(Request::from_parts(parts, ()))?;
    bytes.extend_from_slice(&body);
    let call = sent(call, &body)?;

    let mut connection = connections.take().await.map_err(UpstreamFailure::Unreachable)?;
    let (received, sent_whole) = converse(&mut connection.stream, &bytes, call).await?;
    let Received { head, call, rest } = received;
    let body = match call {
        RecvResponseResult::RecvBody(call) => Body::new(connection, call, rest, sent_whole),
        // A redirection is not followed, so what its body says does not matter.
        RecvResponseResult::Redirect(_) | RecvResponseResult::Cleanup(_) => Body::empty(),
    };
    Ok(head.map(|()| body))
}

/// What has come when the head of an answer has.
struct Received {
    head: Response<()>,
    call: RecvResponseResult,
    /// The beginning of the body.
    rest: Vec<u8>,
}

/// Sends the request and receives the answer's head. Also returns whether the request was sent whole.
async fn converse(
    stream: &mut TcpStream,
    request: &[u8],
    call: Call<RecvResponse>,
) -> Result<(Received, bool), ExchangeError> {
    let (mut reader, mut writer) = stream.split();
    let sending = pin!(writer.write_all(request));
    let receiving = pin!(receive(call, &mut reader));
    // A vendor may refuse a request before it has read it, and close. Its answer is what counts; and
    // where a write fails and there is none, the read fails too.
    match select(receiving, sending).await {
        Either::Left((received, _)) => Ok((received?, false)),
        Either::Right((sent, receiving)) => Ok((receiving.await?, sent.is_ok())),
    }
}

/// The call, and the bytes of its head.
fn head(request: Request<()>) -> Result<(Call<SendRequest>, Vec<u8>), ExchangeError> {
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let mut bytes = vec![0; OWN_LINES_BYTES + request.uri().to_string().len() * 2 + headers.sum::<usize>()];
    let mut call = Call::new(request)?.proceed();
    let written = call.write(&mut bytes)?;
    bytes.truncate(written);
    Ok((call, bytes))
}

/// The call once `body` is sent.
fn sent(call: Call<SendRequest>, body: &Bytes) -> Result<Call<RecvResponse>, ExchangeError> {
    let not_whole = || ExchangeError::Http(ureq_proto::Error::OutputOverflow);
    match call.proceed()?.ok_or_else(not_whole)? {
        SendRequestResult::SendBody(mut call) => {
            call.consume_direct_write(body.len())?;
            call.proceed().ok_or_else(not_whole)
        }
        SendRequestResult::RecvResponse(call) => Ok(call),
        SendRequestResult::Await100(_) => unreachable!("no request here has an Expect header"),
    }
}

async fn receive(
    mut call: Call<RecvResponse>,
    reader: &mut (impl AsyncRead + Unpin),
) -> Result<Received, ExchangeError> {
    let mut bytes = Vec::with_capacity(1024);
    let mut informational = 0;
    loop {
        let (used, head) = call.try_response(&bytes, false)?;
        bytes.drain(..used);
        if let Some(head) = head {
            let call = call.proceed().ok_or(ExchangeError::Closed)?;
            return Ok(Received { head, call, rest: bytes });
        }
        // What was used and is no head was an informational answer (1xx); the real one may be there too.
        if used > 0 {
            informational += 1;
            if informational > INFORMATIONAL_MAX {
                return Err(ExchangeError::OnlyInformational);
            }
            continue;
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(ExchangeError::HeadTooLarge);
        }
        if reader.read_buf(&mut bytes).await? == 0 {
            return Err(ExchangeError::Closed);
        }
    }
}

#[cfg(test)]
mod tests;
