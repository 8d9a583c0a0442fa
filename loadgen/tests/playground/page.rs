//! A page of the playground, without a browser.

use std::time::{Duration, Instant};

use process::{START_TIMEOUT, ServerProcess};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;
use wire::sse::{Decoder, Event};

use crate::test_programs::TestPrograms;

/// Longer than anything here takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// `loadgen serve`, and a client of it.
pub(crate) struct Playground {
    pub(crate) process: ServerProcess,
    pub(crate) url: String,
    client: Client,
}

impl Playground {
    /// On a free port, with the programs of this folder, and some descriptors fewer.
    pub(crate) async fn start(programs: &TestPrograms, descriptors: Option<u32>) -> Self {
        let launch = programs.loadgen(&["serve", "--port", "0"]);
        let launch = match descriptors {
            Some(count) => launch.descriptors(count),
            None => launch,
        };
        let process = launch.start(START_TIMEOUT).await.unwrap();
        let client = gateway::http_client().no_proxy().build().unwrap();
        Playground { url: process.url(), process, client }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    /// The status and the JSON of `GET path`.
    pub(crate) async fn read(&self, path: &str) -> (u16, Value) {
        answer(self.get(path).send().await.unwrap()).await
    }

    /// The status and the JSON of `POST path`.
    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(self.request("POST", path).json(&body).send().await.unwrap()).await
    }

    /// `POST path`, which is accepted.
    pub(crate) async fn order(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 202, "{path}: {answer}");
        answer
    }

    /// A page that listens.
    pub(crate) async fn page(&self) -> Page {
        let response = self.get("/api/events").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Page { response, decoder: Decoder::new(8 * 1024 * 1024), events: Vec::new() }
    }

    /// Both arms with this mistake, as a page shows them when they run.
    pub(crate) async fn started(&self, page: &mut Page, mistake: &str) -> Value {
        self.order("/api/start", json!({ "mistake": mistake })).await;
        page.state(|state| state["arms"]["broken"]["running"] == true && state["arms"]["fixed"]["running"] == true)
            .await
    }
}

async fn answer(response: Response) -> (u16, Value) {
    let (status, body) = (response.status().as_u16(), response.bytes().await.unwrap());
    (status, serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {body:?}")))
}

/// A page that listens.
pub(crate) struct Page {
    response: Response,
    decoder: Decoder,
    events: Vec<Event>,
}

impl Page {
    /// The next event: its name and its data.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        while self.events.is_empty() {
            let piece = timeout(LIMIT, self.response.chunk()).await.expect("timed out waiting for an event");
            self.decoder.decode(&piece.ok()??, &mut self.events).unwrap();
        }
        let event = self.events.remove(0);
        Some((event.name.unwrap_or_default(), serde_json::from_str(&event.data).unwrap()))
    }

    /// Waits for an event of this name that is as wanted.
    pub(crate) async fn wait(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let mut last = Value::Null;
        while begun.elapsed() < LIMIT {
            let (found, data) = self.next().await.expect("the stream of events has ended");
            if found == name {
                if wanted(&data) {
                    return data;
                }
                last = data;
            }
        }
        panic!("timed out waiting for an event '{name}'; the last was {last}");
    }

    pub(crate) async fn state(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait("state", wanted).await
    }

    /// Waits for a frame with an arm of this name that is as wanted.
    pub(crate) async fn arm(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let arm = |frame: &Value| frame["arms"].as_array().unwrap().iter().find(|arm| arm["name"] == name).cloned();
        let frame = self.wait("frame", |frame| arm(frame).is_some_and(|arm| wanted(&arm))).await;
        arm(&frame).unwrap()
    }

    /// Reads until the stream ends.
    pub(crate) async fn has_ended(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            if self.next().await.is_none() {
                return true;
            }
        }
        false
    }
}
