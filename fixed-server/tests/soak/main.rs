//! Faults, overload, and clients that disconnect, do not read or do not send, all at once. Each client checks its answer;
//! at the end, at rest, every law is checked: nothing is held, nothing was lost, and the server is as before.
//!
//! It runs for seconds in every test run, and for a minute with `make soak`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod client;
mod laws;
mod program;

use std::time::Duration;

use fastrand::Rng;
use mock_llm::MockLlm;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use client::{Client, Seen};
use program::Program;

/// The capacity, and the load.
pub(crate) struct Size {
    pub(crate) max_in_flight: u64,
    max_queued: u64,
    /// Starts per second at the vendor.
    pub(crate) rate: u64,
    /// Arrivals per second, alternating every two seconds: calm, and three times the capacity.
    calm: f64,
    overload: f64,
}

/// For a debug build, on a machine that runs other tests.
const SMALL: Size = Size { max_in_flight: 10, max_queued: 15, rate: 40, calm: 15.0, overload: 75.0 };
const LARGE: Size = Size { max_in_flight: 40, max_queued: 60, rate: 150, calm: 60.0, overload: 300.0 };

/// Limits that this load reaches, except for the database's.
const FLAGS: [&str; 25] = [
    "--allow-mock-headers",
    "--token-limit",
    "400000/1s",
    "--queue-timeout",
    "500ms",
    "--call-timeout",
    "1500ms",
    "--first-token-timeout",
    "1s",
    "--idle-timeout",
    "500ms",
    "--write-timeout",
    "700ms",
    "--read-timeout",
    "1s",
    "--sla",
    "5s",
    "--min-attempt-time",
    "100ms",
    "--database-pool-size",
    "3",
    "--database-acquire-timeout",
    "4s",
    "--log-level",
    "warn",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_seconds_of_faults_and_overload_keep_every_law() {
    soak(&SMALL, Duration::from_secs(8), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes over a minute: make soak"]
async fn a_minute_of_faults_and_overload_keeps_every_law() {
    soak(&LARGE, Duration::from_secs(60), 2).await;
}

async fn soak(size: &Size, length: Duration, seed: u64) {
    let mock = MockLlm::builder().tokens(12).ttft(Duration::from_millis(30)).inter_token(Duration::from_millis(20));
    let mock = mock.jitter(0.5).seed(seed).start().await.unwrap();
    let (in_flight, queued) = (size.max_in_flight.to_string(), size.max_queued.to_string());
    let (rate, of_a_user) = (format!("{}/1s", size.rate), (size.max_in_flight + size.max_queued - 2).to_string());
    let sized = ["--max-in-flight", &in_flight, "--max-queued", &queued, "--rate-limit", &rate];
    let sized = [&sized[..], &["--user-max-in-flight", &of_a_user], &FLAGS].concat();
    let program = Program::start(&mock.url(), &sized).await;
    let whole_text = client::text_of_a_whole_answer(&program).await;
    let before = program.at_rest().await;

    let (mut rng, begun, mut clients) = (Rng::with_seed(seed), Instant::now(), JoinSet::new());
    let mut seen = Seen::default();
    let mut at = begun;
    while at < begun + length {
        sleep_until(at).await;
        clients.spawn(Client::drawn(&mut rng, &program, &whole_text).run());
        while let Some(done) = clients.try_join_next() {
            seen.add(done.unwrap());
        }
        // At random, around an average.
        let per_second = if (at - begun).as_secs() % 4 >= 2 { size.overload } else { size.calm };
        at += Duration::from_secs_f64(-(1.0 - rng.f64()).ln() / per_second);
    }
    while let Some(done) = clients.join_next().await {
        seen.add(done.unwrap());
    }
    let after = program.at_rest().await;
    println!("{seen}");
    laws::check(size, &seen, &mock.ledger(), &before, &after);
}
