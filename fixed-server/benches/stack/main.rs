//! What the whole stack costs a call, and what it does under three times too much:
//! `cargo bench -p fixed-server --bench stack`, or `make bench-stack`.
//!
//! Every server is a process of its own: fixed-server with all of its limits on, and beside it the
//! barest relay that there is, made of the same two libraries. They get the same calls in short turns, so
//! that whatever else the machine does, it does to all of them. The client and the vendor share the machine.

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

/// Calls of a turn: so few that each server's next turn comes within a second, as connections that idled
/// for longer would be tested.
const TURN: u32 = 100;
const TURNS: usize = 250;

/// Turns before those that count: connections are opened, on both sides of the server.
const WARM_UP_TURNS: usize = 10;

/// Calls of each turn that do not count: the caches are another server's.
const WARM_UP_CALLS: usize = 20;

/// All limits on and none of them reached.
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

/// The modes in which this program is started by itself.
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

/// The mock vendor, in a process of its own: beside the client, each would wait for the other.
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

/// A server, and what its calls took.
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
        // What it adds to itself is what this table cannot tell from nothing.
        Row::new("  the same relay again", relay(), "/llm"),
        Row::new("fixed-server, /llm", fixed(&[]), "/llm"),
        Row::new("  without a log line a call", fixed(&["--log-level", "warn"]), "/llm"),
        Row::new("fixed-server, /v1 (reads a key)", fixed(&[]), "/v1/chat/completions"),
    ];
    for turn in 0..WARM_UP_TURNS + TURNS {
        for row in &mut rows {
            if turn == WARM_UP_TURNS {
                row.cpu_ms = row.server.cpu_ms();
            }
            let millis = row.caller.calls(TURN, Duration::from_secs(1) / RATE).await;
            if turn >= WARM_UP_TURNS {
                row.millis.extend(&millis[WARM_UP_CALLS..]);
            }
        }
    }
    println!("{RATE} calls a second, {TURNS} turns of {TURN} each; in ms");
    println!("{:32}  {:>7} {:>7}  {:>9} {:>9}  {:>11}", "", "p50", "p99", "added p50", "added p99", "CPU us/call");
    let mut base = None;
    for row in rows {
        let cpu_us = 1000.0 * (row.server.cpu_ms() - row.cpu_ms) as f64 / (f64::from(TURN) * TURNS as f64);
        let latencies = Latencies::of(row.millis);
        let [p50, p99] = [0.5, 0.99].map(|quantile| latencies.at(quantile));
        let (base_p50, base_p99) = *base.get_or_insert((p50, p99));
        let (more_p50, more_p99) = (p50 - base_p50, p99 - base_p99);
        println!("{:32}  {p50:>7.3} {p99:>7.3}  {more_p50:>9.3} {more_p99:>9.3}  {cpu_us:>11.0}", row.name);
    }
}
