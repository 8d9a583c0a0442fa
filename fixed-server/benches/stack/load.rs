use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How long calls took, in milliseconds, sorted.
pub(crate) struct Latencies(Vec<f64>);

impl Latencies {
    pub(crate) fn of(mut millis: Vec<f64>) -> Self {
        millis.sort_by(f64::total_cmp);
        Latencies(millis)
    }

    /// The value that this share of them do not exceed; 0 where there are none.
    pub(crate) fn at(&self, quantile: f64) -> f64 {
        let place = (self.0.len() as f64 * quantile) as usize;
        self.0.get(place.min(self.0.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Before calls are timed: connections are opened, on both sides of the server.
pub(crate) const WARM_UP: Duration = Duration::from_millis(500);

/// So many calls a second, evenly, each timed from when it was sent: the same clock for all servers,
/// and a client that is late now and then is late for all.
pub(crate) async fn constant(addr: SocketAddr, path: &str, rate: u32, length: Duration) -> Latencies {
    let (client, url) = (client(), format!("http://{addr}{path}"));
    let body = json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": "hi" }] });
    let (mut calls, begun) = (JoinSet::new(), Instant::now());
    let calls_in = move |length: Duration| (f64::from(rate) * length.as_secs_f64()) as u32;
    for number in 0..calls_in(WARM_UP + length) {
        sleep_until(begun + Duration::from_secs(1) / rate * number).await;
        let request = client.post(&url).bearer_auth("demo-key").json(&body);
        calls.spawn(async move {
            let sent = Instant::now();
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
            (number >= calls_in(WARM_UP)).then(|| sent.elapsed().as_secs_f64() * 1000.0)
        });
    }
    Latencies::of(calls.join_all().await.into_iter().flatten().collect())
}
