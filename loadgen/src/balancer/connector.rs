//! Opens connections to backends, and counts them.

use std::sync::PoisonError;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt, TryFutureExt};
use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use tower_service::Service;

use super::relayed_body::Counts;

/// Opens connections to backends, and counts how many it has opened.
#[derive(Clone)]
pub(super) struct CountingConnector {
    connector: HttpConnector,
    counts: Counts,
}

impl CountingConnector {
    pub(super) fn new(connector: HttpConnector, counts: Counts) -> Self {
        CountingConnector { connector, counts }
    }
}

impl Service<Uri> for CountingConnector {
    type Response = <HttpConnector as Service<Uri>>::Response;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, backend: Uri) -> Self::Future {
        let counts = self.counts.clone();
        let opened = move |_: &_| counts.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
        self.connector.call(backend).inspect_ok(opened).boxed()
    }
}
