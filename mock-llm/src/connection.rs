//! Serves one connection: timeouts, buffers, real TCP resets.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::EXPECT;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::abort::Abort;
use crate::http::AnswerBody;
use crate::routes;
use crate::unread_body;
use crate::vendor::Vendor;

/// How long a connection may wait for a request, idle time included: longer than clients usually keep idle
/// connections (reqwest: 90 s), so that the vendor does not close one just as a request is sent on it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Most bytes buffered for a client that does not read. When the buffer is full, generation pauses.
const WRITE_BUFFER_BYTES: usize = 64 * 1024;

/// Serves one connection until either side closes it.
pub(crate) async fn serve(socket: TcpStream, vendor: Arc<Vendor>) {
    vendor.counters.connection_opened();
    // Nagle's algorithm would hold tokens back for up to 40 ms.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "the client disconnected before its connection was served");
        return;
    }
    let is_used = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        if routes::is_of_client(request.uri().path()) && !is_used.swap(true, Ordering::Relaxed) {
            vendor.counters.connection_used();
        }
        let vendor = Arc::clone(&vendor);
        // Boxed, so that the connection can be moved, and taken apart at the end.
        Box::pin(async move { answer(&vendor, request).await })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(WRITE_BUFFER_BYTES)
        .serve_connection(TokioIo::new(socket), service);
    let Err(error) = (&mut connection).await else { return };
    tracing::debug!(%error, "a connection ended early");
    if abort(&error) == Some(Abort::Reset) {
        let socket = connection.into_parts().io.into_inner();
        // With no time to linger, dropping the socket sends a RST.
        if let Err(error) = socket.set_zero_linger() {
            tracing::warn!(%error, "a reset became an orderly close");
        }
    }
}

async fn answer(vendor: &Arc<Vendor>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Abort> {
    let (parts, mut body) = request.into_parts();
    let (version, expects_continue) = (parts.version, parts.headers.contains_key(EXPECT));
    let mut response = routes::answer(vendor, Request::from_parts(parts, &mut body)).await?;
    unread_body::drain_rest(version, expects_continue, &mut body, &mut response).await;
    Ok(response)
}

fn abort(error: &hyper::Error) -> Option<Abort> {
    error.source()?.downcast_ref().copied()
}
