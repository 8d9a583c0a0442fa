//! Calls on a schedule, and how long they took.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

/// Durations of calls in milliseconds, sorted.
pub(crate) struct Latencies(Vec<f64>);

impl Latencies {
    pub(crate) fn of(mut millis: Vec<f64>) -> Self {
        millis.sort_by(f64::total_cmp);
        Latencies(millis)
    }

    /// The value at this quantile; 0 if there are none.
    pub(crate) fn at(&self, quantile: f64) -> f64 {
        let place = (self.0.len() as f64 * quantile) as usize;
        self.0.get(place.min(self.0.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

pub(crate) fn client() -> Client {
    gateway::http_client().build().unwrap()
}

/// A client of one server, over persistent connections.
pub(crate) struct Caller {
    client: Client,
    url: String,
}

impl Caller {
    pub(crate) fn new(addr: SocketAddr, path: &str) -> Self {
        Caller { client: client(), url: format!("http://{addr}{path}") }
    }

    /// Makes `count` calls, one every `gap`, and returns their durations in the order in which they were sent. Each is
    /// measured from when it was sent: a late client is late for all servers.
    pub(crate) async fn calls(&self, count: u32, gap: Duration) -> Vec<f64> {
        let body = json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": "hi" }] });
        let (mut calls, begun) = (Vec::new(), Instant::now());
        for number in 0..count {
            sleep_until(begun + gap * number).await;
            let request = self.client.post(&self.url).bearer_auth("demo-key").json(&body);
            calls.push(tokio::spawn(async move {
                let sent = Instant::now();
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 200);
                answer.bytes().await.unwrap();
                sent.elapsed().as_secs_f64() * 1000.0
            }));
        }
        join_all(calls).await.into_iter().map(Result::unwrap).collect()
    }
}
