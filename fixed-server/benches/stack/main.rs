//! What the whole stack adds to a call, and what it does under three times its capacity:
//! `cargo bench -p fixed-server --bench stack`, or `make bench-stack`.
//!
//! Every server is a separate process: fixed-server with all of its limits on, and a bare relay made of the same two
//! libraries. They get the same calls in short alternating rounds, so that other load on the machine affects all of them.
//! The client and the vendor share the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]

mod instant_vendor;
mod load;
mod overload;
mod relay;
mod server;

use std::time::Duration;

use load::{Caller, Latencies};
use mock_llm::MockLlm;
use server::Server;

/// Calls a second.
const RATE: u32 = 1000;

/// Calls of a round: few enough that each server's next round comes within a second.
const ROUND: u32 = 100;
const ROUNDS: usize = 250;

/// Rounds before those that count, in which connections are opened.
const WARM_UP_ROUNDS: usize = 10;

/// Calls of each round that do not count: the caches are another server's.
const WARM_UP_CALLS: usize = 20;

/// All limits on, and none of them reached.
const EVERYTHING: [&str; 15] = [
    "--user-rate-limit",
    "1000000/1s",
    "--user-max-in-flight",
    "5000",
    "--breaker-failures",
    "1000",
    "--rate-limit",
    "1000000/1s",
    "--token-limit",
    "1000000000/1s",
    "--retry-budget",
    "20",
    "--database-pool-size",
    "5",
    "--ready-on-error-rate=0.9",
];

/// The modes in which this program starts itself.
const RELAY: &str = "relay";
const VENDOR: &str = "vendor";
const INSTANT_VENDOR: &str = "instant-vendor";

fn main() {
    let mut args = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match (args.next().as_deref(), args.next()) {
        (Some(RELAY), Some(upstream)) => runtime.block_on(relay::run(&upstream)),
        (Some(INSTANT_VENDOR), _) => runtime.block_on(instant_vendor::run()),
        (Some(VENDOR), Some(ttft_ms)) => runtime.block_on(vendor(Duration::from_millis(ttft_ms.parse().unwrap()))),
        // cargo passes `--bench`.
        _ => runtime.block_on(async {
            overhead().await;
            overload::run().await;
        }),
    }
}

/// The mock vendor, as a separate process: in the client's, each would wait for the other.
async fn vendor(ttft: Duration) {
    let mock = MockLlm::builder().tokens(1).ttft(ttft).start().await.unwrap();
    eprintln!("listening on {}", mock.url());
    std::future::pending().await
}

fn start_this(args: &[&str]) -> Server {
    Server::start(&std::env::current_exe().unwrap(), args)
}

fn start_fixed(upstream: &str, flags: &[&str]) -> Server {
    let own = ["--listen", "127.0.0.1:0", "--upstream", upstream];
    Server::start(env!("CARGO_BIN_EXE_fixed-server").as_ref(), &[&own, flags].concat())
}

/// A server, and the durations of its calls.
struct Row {
    name: &'static str,
    server: Server,
    caller: Caller,
    millis: Vec<f64>,
    cpu_ms: u64,
}

impl Row {
    fn new(name: &'static str, server: Server, path: &str) -> Self {
        let caller = Caller::new(server.addr, path);
        Row { name, server, caller, millis: Vec::new(), cpu_ms: 0 }
    }
}

async fn overhead() {
    let vendor = start_this(&[INSTANT_VENDOR]);
    let relay = || start_this(&[RELAY, &vendor.url()]);
    let fixed = |more: &[&str]| start_fixed(&vendor.url(), &[&EVERYTHING[..], more].concat());
    let mut rows = [
        Row::new("bare relay", relay(), "/llm"),
        // The difference between the same two is the noise of this table.
        Row::new("  the same relay again", relay(), "/llm"),
        Row::new("fixed-server, /llm", fixed(&[]), "/llm"),
        Row::new("  without a log line a call", fixed(&["--log-level", "warn"]), "/llm"),
        Row::new("fixed-server, /v1 (reads a key)", fixed(&[]), "/v1/chat/completions"),
    ];
    for round in 0..WARM_UP_ROUNDS + ROUNDS {
        for row in &mut rows {
            if round == WARM_UP_ROUNDS {
                row.cpu_ms = row.server.cpu_ms();
            }
            let millis = row.caller.calls(ROUND, Duration::from_secs(1) / RATE).await;
            if round >= WARM_UP_ROUNDS {
                row.millis.extend(&millis[WARM_UP_CALLS..]);
            }
        }
    }
    println!("{RATE} calls a second, {ROUNDS} rounds of {ROUND} each; in ms");
    println!("{:32}  {:>7} {:>7}  {:>9} {:>9}  {:>11}", "", "p50", "p99", "added p50", "added p99", "CPU us/call");
    let mut base = None;
    for row in rows {
        let cpu_us = 1000.0 * (row.server.cpu_ms() - row.cpu_ms) as f64 / (f64::from(ROUND) * ROUNDS as f64);
        let latencies = Latencies::of(row.millis);
        let [p50, p99] = [0.5, 0.99].map(|quantile| latencies.at(quantile));
        let (base_p50, base_p99) = *base.get_or_insert((p50, p99));
        let (more_p50, more_p99) = (p50 - base_p50, p99 - base_p99);
        println!("{:32}  {p50:>7.3} {p99:>7.3}  {more_p50:>9.3} {more_p99:>9.3}  {cpu_us:>11.0}", row.name);
    }
}
