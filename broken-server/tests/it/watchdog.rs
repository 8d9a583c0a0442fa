//! The watchdog over a worker process: whom it kills, and how it ends.

use std::time::Duration;

use process::{Launch, ServerProcess};

use crate::support::{Client, TIMEOUT, until, vendor};

/// How long a worker may be silent.
const SILENCE: Duration = Duration::from_millis(1000);

/// A server whose event loop a call blocks.
async fn start(upstream: &str) -> (ServerProcess, Client) {
    let silence = format!("{}ms", SILENCE.as_millis());
    let launch = Launch::new(env!("CARGO_BIN_EXE_broken-server")).keep_lines(10_000);
    let launch = launch.args(["--worker-timeout", &silence, "--upstream", upstream, "--mistake", "blocked-executor"]);
    let running = launch.on_free_port().start(TIMEOUT).await.unwrap();
    let client = Client::new(&running.url());
    (running, client)
}

fn kills(running: &ServerProcess) -> usize {
    running.log().iter().filter(|line| line.contains("worker timeout")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_event_loop_is_killed_and_another_takes_its_port() {
    let mock = vendor(1, 3 * SILENCE, Duration::ZERO).await;
    let (running, client) = start(&mock.url()).await;
    let lost = client.whole().send().await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(client.get("/debug/health-async").await.status(), 200);
    let killed = kills(&running);
    assert!(killed >= 1, "{:?}", running.log());
    let metrics = client.get("/metrics").await.text().await.unwrap();
    let said = format!("workers_killed_total {killed}\n");
    assert!(metrics.contains(&said), "the worker that took its place says so: {metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_ends_with_its_watchdog_even_while_it_is_blocked() {
    let mock = vendor(1, 4 * SILENCE, Duration::ZERO).await;
    let (running, client) = start(&mock.url()).await;
    let call = tokio::spawn(async move { client.whole().send().await.map(|answer| answer.status().as_u16()) });
    until("a call has begun", async || mock.ledger().started == 1).await;
    running.kill();
    let addr = running.addr();
    until("nobody listens", async || tokio::net::TcpStream::connect(addr).await.is_err()).await;
    drop(call.await.unwrap());
}

#[test]
fn a_watchdog_watches_one_event_loop() {
    let launch = Launch::new(env!("CARGO_BIN_EXE_broken-server"));
    let output = launch.args(["--worker-timeout", "1s", "--workers", "2"]).output_blocking(TIMEOUT).unwrap();
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr.contains("--workers (2) must be 1 under a watchdog"), "{}", output.stderr);
}
