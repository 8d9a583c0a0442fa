//! A balancer in this process, its client, and a backend that keeps its connections open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use loadgen::balancer::{BalancerSettings, BalancerStats, ReadinessRules, STATS_PATH, balance};
use loadgen::http::Endpoint;
use reqwest::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// Longer than anything here takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) const SHORT: Duration = Duration::from_millis(20);

/// A balancer in this process.
pub(crate) struct Balancer {
    pub(crate) url: String,
    _task: AbortOnDropHandle<()>,
}

impl Balancer {
    /// With these backends, when the first round of probes is over.
    pub(crate) async fn start(backends: &[SocketAddr], change: impl FnOnce(&mut BalancerSettings)) -> Self {
        let mut settings = BalancerSettings {
            backends: backends.iter().copied().map(Endpoint::at).collect(),
            readiness: ReadinessRules { path: "/ready".into(), period: SHORT, timeout: LIMIT, failure_threshold: 1 },
            idle_timeout: Some(LIMIT),
            silence_timeout: None,
        };
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = AbortOnDropHandle::new(tokio::spawn(async { match balance(listener, settings).await {} }));
        Balancer { url, _task: task }
    }

    pub(crate) async fn with(backends: &[SocketAddr]) -> Self {
        let balancer = Self::start(backends, |_| {}).await;
        balancer.wait_for(|stats| stats.ready == backends.len() as u64).await;
        balancer
    }

    pub(crate) async fn stats(&self) -> BalancerStats {
        let body = client().get(format!("{}{STATS_PATH}", self.url)).send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    pub(crate) async fn wait_for(&self, as_wanted: impl Fn(&BalancerStats) -> bool) -> BalancerStats {
        let began = Instant::now();
        loop {
            let stats = self.stats().await;
            if as_wanted(&stats) {
                return stats;
            }
            assert!(began.elapsed() < LIMIT, "timed out with {stats:?}");
            tokio::time::sleep(SHORT).await;
        }
    }

    pub(crate) async fn post(&self) -> Response {
        client().post(format!("{}/chat/stream", self.url)).body("{}").send().await.unwrap()
    }
}

/// A client without kept connections: each request is a client of its own.
pub(crate) fn client() -> reqwest::Client {
    gateway::http_client().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// A backend that keeps its connections open and answers with the request's head; it counts the connections on which a
/// POST came.
pub(crate) async fn echo() -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(echo_on(connection, counted.clone()));
        }
    });
    (addr, connections)
}

async fn echo_on(mut connection: TcpStream, connections: Arc<AtomicU64>) {
    let (mut request, mut posts) = ([0; 4096], 0);
    while let Ok(read @ 1..) = connection.read(&mut request).await {
        if request.starts_with(b"POST") {
            posts += 1;
            connections.fetch_add(u64::from(posts == 1), Relaxed);
        }
        let head = "HTTP/1.1 200 OK\r\nx-request-id: the-answers\r\nkeep-alive: timeout=5\r\n";
        let answer = format!("{head}content-length: {read}\r\n\r\n{}", String::from_utf8_lossy(&request[..read]));
        if connection.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
