//! More load than capacity.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::load::{Latencies, client};
use crate::{VENDOR, start_fixed, start_this};

/// Concurrent calls of half a second each: 40 per second.
const PERMITS: u32 = 20;
const CALL: Duration = Duration::from_millis(500);
const CAPACITY: f64 = PERMITS as f64 / 0.5;
const OFFERED: f64 = 3.0 * CAPACITY;
const LENGTH: Duration = Duration::from_secs(20);

/// Random arrivals at three times the capacity: what is served, and how soon the rest is rejected.
pub(crate) async fn run() {
    let vendor = start_this(&[VENDOR, &CALL.as_millis().to_string()]);
    let server = start_fixed(&vendor.url(), &["--max-in-flight", &PERMITS.to_string()]);
    let (client, url) = (client(), format!("{}/llm", server.url()));
    let (mut rng, mut calls, begun) = (fastrand::Rng::with_seed(1), JoinSet::new(), Instant::now());
    let mut due = begun;
    while due < begun + LENGTH {
        sleep_until(due).await;
        let request = client.post(&url).json(&json!({ "prompt": "hi" }));
        calls.spawn(async move {
            let sent = Instant::now();
            let answer = request.send().await.unwrap();
            let (status, has_retry_after) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
            answer.bytes().await.unwrap();
            (status, has_retry_after, sent.elapsed().as_secs_f64() * 1000.0)
        });
        due += Duration::from_secs_f64(-(1.0 - rng.f64()).ln() / OFFERED);
    }
    let all = calls.join_all().await;
    let took = begun.elapsed().as_secs_f64();
    let of = |status: u16| Latencies::of(all.iter().filter(|call| call.0 == status).map(|call| call.2).collect());
    let count = |status: u16| all.iter().filter(|call| call.0 == status).count();
    let without = all.iter().filter(|(status, has_retry_after, _)| *status == 429 && !has_retry_after).count();

    println!("\n{OFFERED:.0} calls a second at a capacity of {CAPACITY:.0}, for {LENGTH:?}, queue timeout 5 s");
    let goodput = 100.0 * count(200) as f64 / (CAPACITY * took);
    println!(
        "  served         {:>6}  {goodput:.1} % of the capacity, waited p50 {:.0} ms",
        count(200),
        of(200).at(0.5)
    );
    let (p50, p99) = (of(429).at(0.5), of(429).at(0.99));
    println!(
        "  rejected, 429  {:>6}  after p50 {p50:.2} ms, p99 {p99:.2} ms; {without} without Retry-After",
        count(429)
    );
    println!("  queue timeouts {:>6}  (504)", count(504));
}
