//! One request on its way to a backend, and the answer back.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use hyper::{Request, Response, Uri, Version};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::answer::{self, Refusal};
use super::backends::Backends;
use super::connector::CountingConnector;
use super::relayed_body::{AnswerBody, Counts, RelayedBody};
use super::stats::{BalancerStats, STATS_PATH};
use crate::http::Endpoint;

/// How long a connection to a backend may take. All are on this machine.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Passes requests on to the backends.
pub(super) struct Forwarder {
    backends: Arc<Backends>,
    client: Client<CountingConnector, Incoming>,
    silence_timeout: Option<Duration>,
    retry_after: Duration,
    counts: Counts,
}

impl Forwarder {
    pub(super) fn new(
        backends: Arc<Backends>,
        idle_timeout: Option<Duration>,
        silence_timeout: Option<Duration>,
        retry_after: Duration,
    ) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(idle_timeout);
        client.pool_max_idle_per_host(if idle_timeout.is_some() { usize::MAX } else { 0 });
        let counts = Counts::default();
        let client = client.build(CountingConnector::new(connector, counts.clone()));
        Forwarder { backends, client, silence_timeout, retry_after, counts }
    }

    /// The answer to `request`, whose head is there. Dropped, because the client has disconnected, it drops the request
    /// to the backend.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<AnswerBody> {
        if request.uri().path() == STATS_PATH {
            return answer::stats(&self.stats());
        }
        self.count(|counts| counts.requests += 1);
        let waiting = Waiting { counts: self.counts.clone(), answered: false };
        let response = self.forward(request).await.unwrap_or_else(|refusal| {
            self.count(|counts| refusal.count(counts));
            refusal.response()
        });
        self.count(|counts| *counts.requests_by_status.entry(response.status().as_str().to_owned()).or_default() += 1);
        waiting.answered();
        response
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Refusal> {
        let no_backend = Refusal::NoBackend { retry_after: self.retry_after };
        let backend = self.backends.next().ok_or(no_backend)?;
        let sent = self.client.request(to_backend(request, &backend.endpoint));
        let response = match self.silence_timeout {
            Some(timeout) => tokio::time::timeout(timeout, sent).await.map_err(|_| Refusal::Silent)?,
            None => sent.await,
        };
        let mut response = response.map_err(|error| Refusal::BadGateway(cause(&error)))?;
        remove_hop_by_hop(response.headers_mut());
        Ok(response.map(|body| RelayedBody::new(body, self.silence_timeout, self.counts.clone()).boxed_unsync()))
    }

    fn stats(&self) -> BalancerStats {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let about_backends = self.backends.stats();
        BalancerStats {
            uptime_ms: about_backends.uptime_ms,
            ready: about_backends.ready,
            ready_over_time: about_backends.ready_over_time,
            backends: about_backends.backends,
            ..counts
        }
    }

    fn count(&self, add: impl FnOnce(&mut BalancerStats)) {
        add(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Refusal {
    fn count(self, counts: &mut BalancerStats) {
        match self {
            Refusal::NoBackend { .. } => counts.no_backend += 1,
            Refusal::BadGateway(cause) => *counts.bad_gateway.entry(cause.to_owned()).or_default() += 1,
            Refusal::Silent => counts.silent += 1,
        }
    }
}

/// A request without an answer. Dropped, it counts as a disconnect.
struct Waiting {
    counts: Arc<Mutex<BalancerStats>>,
    answered: bool,
}

impl Waiting {
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            self.counts.lock().unwrap_or_else(PoisonError::into_inner).disconnected += 1;
        }
    }
}

fn to_backend(mut request: Request<Incoming>, backend: &Endpoint) -> Request<Incoming> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme("http").authority(backend.addr().to_string()).path_and_query(path).build();
    *request.uri_mut() = uri.unwrap_or_else(|error| unreachable!("each part comes from a URI: {error}"));
    *request.version_mut() = Version::HTTP_11;
    remove_hop_by_hop(request.headers_mut());
    request
}

/// Removes the headers that are about one connection (RFC 9110, section 7.6.1).
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named =
        headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let named: Vec<HeaderName> = named.filter_map(|name| name.trim().parse().ok()).collect();
    let always = [CONNECTION, HeaderName::from_static("keep-alive"), TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    for name in named.into_iter().chain(always) {
        headers.remove(name);
    }
}

/// Why a backend gave no answer, in one of a few words.
fn cause(error: &legacy::Error) -> &'static str {
    let causes = || std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
    let io = causes().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    match io {
        Some(io::ErrorKind::ConnectionRefused) => "connection refused",
        _ if error.is_connect() => "no connection",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "closed before an answer",
        _ if causes().any(|cause| cause.downcast_ref().is_some_and(hyper::Error::is_incomplete_message)) => {
            "closed before an answer"
        }
        _ => "invalid answer",
    }
}
