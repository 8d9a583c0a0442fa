//! Everything at once: faults, clients that leave, that do not read or do not speak, and more load than
//! there is room for. Meanwhile each client checks what it gets; at the end, at rest, every law is
//! checked: nothing is held, nothing was lost, and all is as it was before.
//!
//! For seconds in every test run, for a minute with `make soak`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

/// One client: what it asks for, when it leaves, what it makes of the answer.
mod client;
/// What must be so at the end.
mod laws;
/// The program and what it says of itself.
mod program;

use std::time::Duration;

use fastrand::Rng;
use mock_llm::MockLlm;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use client::{Client, Seen};
use program::Program;

const MAX_IN_FLIGHT: u64 = 40;
const RATE: (u64, Duration) = (150, Duration::from_secs(1));

/// Limits that a load of a few hundred a second reaches, each of them.
const FLAGS: [&str; 31] = [
    "--allow-mock-headers",
    "--max-in-flight",
    "40",
    "--max-queued",
    "60",
    "--rate-limit",
    "150/1s",
    "--token-limit",
    "400000/1s",
    "--user-max-in-flight",
    "90",
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
    "--log-level",
    "warn",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_seconds_of_everything_leave_nothing_behind() {
    soak(Duration::from_secs(6), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes over a minute: make soak"]
async fn a_minute_of_everything_leaves_nothing_behind() {
    soak(Duration::from_secs(60), 2).await;
}

async fn soak(length: Duration, seed: u64) {
    let mock = MockLlm::builder().tokens(12).ttft(Duration::from_millis(30)).inter_token(Duration::from_millis(20));
    let mock = mock.jitter(0.5).seed(seed).start().await.unwrap();
    let program = Program::start(&mock.url(), &FLAGS);
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
        // Arrivals at random: calm and three times too many, in turns of two seconds.
        let overload = (at - begun).as_secs() % 4 >= 2;
        let per_second = if overload { 300.0 } else { 60.0 };
        at += Duration::from_secs_f64(-(1.0 - rng.f64()).ln() / per_second);
    }
    while let Some(done) = clients.join_next().await {
        seen.add(done.unwrap());
    }
    let after = program.at_rest().await;
    println!("{seen}");
    laws::check(&seen, &mock.ledger(), &before, &after);
}
