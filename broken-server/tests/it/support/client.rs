//! The client of these tests, which opens a connection for each request.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use wire::sse::{Decoder, EVENT_BYTES_MAX, Event};

use super::until;

/// A client that opens a connection for each request, like a load balancer's probe.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        // Far longer than any test takes, so that a server that hangs fails its test.
        let timeout = Duration::from_secs(20);
        let http = gateway::http_client().pool_max_idle_per_host(0).timeout(timeout).build().unwrap();
        Client { http, url: url.to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: &'static str) -> Response {
        let request = self.request(Method::PUT, path).header("content-type", "application/json");
        request.body(body).send().await.unwrap()
    }

    /// A request, to which headers can be added before it is sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// A request for a stream, to which headers can be added.
    pub(crate) fn chat(&self) -> RequestBuilder {
        let body = json!({"messages": [{"role": "user", "content": "hi"}]});
        self.http.post(format!("{}/chat/stream", self.url)).json(&body)
    }

    /// A request for a whole answer.
    pub(crate) fn whole(&self) -> RequestBuilder {
        self.http.post(format!("{}/llm", self.url)).json(&json!({"prompt": "hi"}))
    }

    /// A request for the summary of a whole answer.
    pub(crate) fn summary(&self) -> RequestBuilder {
        self.http.post(format!("{}/llm/summary", self.url)).json(&json!({"prompt": "hi"}))
    }

    /// A request for a whole answer, by a key.
    pub(crate) fn completion(&self) -> RequestBuilder {
        let body = json!({"model": "mock-llm", "messages": [{"role": "user", "content": "hi"}]});
        self.http.post(format!("{}/v1/chat/completions", self.url)).bearer_auth("demo-key").json(&body)
    }

    /// Opens a stream, and waits for the head of its answer.
    pub(crate) async fn open_stream(&self) -> EventStream {
        let response = self.chat().send().await.unwrap();
        assert_eq!(response.status(), 200);
        EventStream::new(response)
    }

    /// How long `path` takes to answer.
    pub(crate) async fn time(&self, path: &str) -> Duration {
        let begun = Instant::now();
        assert_eq!(self.get(path).await.status(), 200);
        begun.elapsed()
    }

    /// The value of one metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no metric {name} in:\n{text}")).parse().unwrap()
    }

    /// How many requests have had this outcome.
    pub(crate) async fn outcomes(&self, outcome: &str) -> f64 {
        self.metric(&format!("llm_outcomes_total{{outcome=\"{outcome}\"}}")).await
    }

    /// The status of `/ready`.
    pub(crate) async fn ready(&self) -> u16 {
        self.get("/ready").await.status().as_u16()
    }

    /// Waits until a metric has this value.
    pub(crate) async fn until_metric(&self, name: &str, value: f64) {
        until(&format!("{name} is {value}"), async || self.metric(name).await == value).await;
    }
}

/// The events of a stream. Dropping it closes the connection.
pub(crate) struct EventStream {
    response: Response,
    decoder: Decoder,
    events: Vec<Event>,
}

impl EventStream {
    pub(crate) fn new(response: Response) -> Self {
        EventStream { response, decoder: Decoder::new(EVENT_BYTES_MAX), events: Vec::new() }
    }

    /// Reads until there are `count` events.
    pub(crate) async fn read(&mut self, count: usize) {
        while self.events.len() < count {
            let piece = self.response.chunk().await.unwrap().expect("the stream ended early");
            self.decoder.decode(&piece, &mut self.events).unwrap();
        }
    }

    /// Reads to the end.
    pub(crate) async fn finish(mut self) -> FinishedStream {
        while let Some(piece) = self.response.chunk().await.unwrap() {
            self.decoder.decode(&piece, &mut self.events).unwrap();
        }
        assert!(!self.decoder.mid_event());
        FinishedStream(self.events)
    }
}

/// A stream that was read to its end.
#[derive(Debug)]
pub(crate) struct FinishedStream(Vec<Event>);

impl FinishedStream {
    /// Whether it is complete: its last event is `[DONE]`.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.last().is_some_and(|event| event.name.is_none() && event.data == "[DONE]")
    }

    /// How many tokens it has.
    pub(crate) fn tokens(&self) -> usize {
        self.0.iter().filter(|event| event.data.starts_with("{\"content\":")).count()
    }

    /// The `error` object of the event that ended it; then it must have no `[DONE]`.
    pub(crate) fn error(&self) -> Value {
        assert!(self.0.iter().all(|event| event.data != "[DONE]"), "{self:?}");
        let last = self.0.last().unwrap();
        assert_eq!(last.name.as_deref(), Some("error"), "{self:?}");
        serde_json::from_str::<Value>(&last.data).unwrap()["error"].clone()
    }
}
