//! The service on one connection: it adds the peer's address to requests, and to answers whether the connection stays
//! open.

use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, Version};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::time::sleep;

use crate::identity::Peer;

/// The routes on one connection.
#[derive(Clone)]
pub(super) struct ConnectionService {
    peer: Peer,
    service: TowerToHyperService<Router>,
    unread: UnreadBody,
    first: FirstRequest,
}

/// Whether the first request of a connection has come.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstRequest(Arc<AtomicBool>);

impl FirstRequest {
    /// Waits for `limit`, and then for ever if the request has come by then.
    pub(super) async fn is_late(&self, limit: Duration) {
        sleep(limit).await;
        if self.0.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

/// Whether the body of a connection's current request has not been read to its end. Requests come one after the other,
/// so one flag per connection is enough.
#[derive(Debug, Clone, Default)]
pub(super) struct UnreadBody(Arc<AtomicBool>);

impl UnreadBody {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, unread: bool) {
        self.0.store(unread, Ordering::Relaxed);
    }
}

impl ConnectionService {
    pub(super) fn new(
        peer: Peer,
        service: TowerToHyperService<Router>,
        unread: UnreadBody,
        first: FirstRequest,
    ) -> Self {
        ConnectionService { peer, service, unread, first }
    }
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.first.0.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(self.peer);
        let version = request.version();
        let unread = self.unread.clone();
        unread.set(!request.body().is_end_stream());
        let answered = self.service.call(request.map(|body| TrackedBody { body, unread: unread.clone() }));
        Box::pin(async move {
            let mut response = answered.await?;
            // An unread body is in the way of the next request. And in HTTP/1.0 an answer of unknown length ends with its
            // connection.
            let open_ended = version == Version::HTTP_10 && response.body().size_hint().exact().is_none();
            if unread.get() || open_ended {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                // hyper would add `keep-alive` to an answer in HTTP/1.1 for an older client.
                *response.version_mut() = version;
            }
            Ok(response)
        })
    }
}

/// The body of a request, which notes when it has been read to its end.
struct TrackedBody {
    body: Incoming,
    unread: UnreadBody,
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.unread.set(false);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
