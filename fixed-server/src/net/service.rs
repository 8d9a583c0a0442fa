//! The service on one connection: its requests know who is at the other end, and its answers say what becomes
//! of the connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, Version};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::identity::Peer;

/// The routes, on one connection.
#[derive(Clone)]
pub(super) struct ConnectionService {
    peer: Peer,
    service: TowerToHyperService<Router>,
    unread: UnreadBody,
}

/// Whether the body of the request that a connection is at has not been read to its end. One is enough for
/// each: requests come one after the other.
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
    pub(super) fn new(peer: Peer, service: TowerToHyperService<Router>, unread: UnreadBody) -> Self {
        ConnectionService { peer, service, unread }
    }
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        let version = request.version();
        let unread = self.unread.clone();
        unread.set(!request.body().is_end_stream());
        let answered = self.service.call(request.map(|body| TrackedBody { body, unread: unread.clone() }));
        Box::pin(async move {
            let mut response = answered.await?;
            // What is refused before its body was read leaves that in the way of the next request. And an answer
            // whose length nobody knows ends, in HTTP/1.0, with its connection.
            let open_ended = version == Version::HTTP_10 && response.body().size_hint().exact().is_none();
            if unread.get() || open_ended {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                // hyper would add `keep-alive` to what is for an older client and says that it is newer.
                *response.version_mut() = version;
            }
            Ok(response)
        })
    }
}

/// The body of a request, which tells when it has been read to its end.
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
