//! A server under test and its client.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fixed_server::bind;
use fixed_server::settings::Settings;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine; only a failing test reaches it.
pub(crate) const BOUND: Duration = Duration::from_secs(10);

pub(crate) const STREAM: &str = "/chat/stream";

/// A server on a free port, for as long as this value lives.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    client: Client,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(upstream: &str, flags: &[&str]) -> Self {
        let settings = Settings::read([&["fixed-server", "--upstream", upstream], flags].concat()).unwrap();
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server = fixed_server::Server::open(&settings).await.unwrap();
        let running = tokio::spawn(server.run(listener, Box::pin(stopped)));
        // Without idle connections, a test has as many connections as requests.
        let client = gateway::http_client().pool_max_idle_per_host(0).build().unwrap();
        Server { addr, client, stop, running }
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.post_as(path, "demo-key")
    }

    pub(crate) fn post_as(&self, path: &str, key: &str) -> RequestBuilder {
        self.keyless_post(path).bearer_auth(key)
    }

    pub(crate) fn keyless_post(&self, path: &str) -> RequestBuilder {
        let body = json!({ "model": "mock-llm", "messages": [{ "role": "user", "content": "hi" }] });
        self.client.post(format!("http://{}{path}", self.addr)).json(&body)
    }

    pub(crate) fn get_as(&self, path: &str, key: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.addr)).bearer_auth(key)
    }

    pub(crate) async fn stream(&self) -> Response {
        self.post(STREAM).send().await.unwrap()
    }

    /// What a GET of `path` answers, which must be JSON.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("http://{}{path}", self.addr)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// The status of `/ready`.
    pub(crate) async fn ready(&self) -> u16 {
        self.client.get(format!("http://{}/ready", self.addr)).send().await.unwrap().status().as_u16()
    }

    /// The sum of a metric over its labels; `sample` may end in a label, as in `x_total{type="a"`.
    pub(crate) async fn metric(&self, sample: &str) -> f64 {
        let answer = self.client.get(format!("http://{}/metrics", self.addr)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let ours = text
            .lines()
            .filter_map(|line| line.strip_prefix(sample))
            .filter(|rest| rest.starts_with([' ', '{', '}', ',']));
        let values: Vec<f64> = ours.map(|rest| rest.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert!(!values.is_empty(), "no {sample} in {text}");
        values.iter().sum()
    }

    /// How many requests ended with this outcome.
    pub(crate) async fn outcomes(&self, outcome: &str) -> f64 {
        self.metric(&format!("llm_outcomes_total{{outcome=\"{outcome}\"")).await
    }

    /// Waits until a metric has this value.
    pub(crate) async fn until(&self, sample: &str, value: f64) {
        let deadline = Instant::now() + BOUND;
        loop {
            let now = self.metric(sample).await;
            if now == value {
                return;
            }
            assert!(Instant::now() < deadline, "{sample} is {now}, not {value}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until `count` requests have ended with this outcome.
    pub(crate) async fn until_outcomes(&self, outcome: &str, count: f64) {
        self.until(&format!("llm_outcomes_total{{outcome=\"{outcome}\""), count).await;
    }

    /// Begins the server's shutdown.
    pub(crate) fn shut_down(&self) {
        self.stop.cancel();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(mut self) {
        tokio::time::timeout(BOUND, &mut self.running).await.expect("it does not stop").unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// The type of an error answer.
pub(crate) async fn error_type(answer: Response) -> String {
    let body: Value = answer.json().await.unwrap();
    body["error"]["type"].as_str().unwrap().to_owned()
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
