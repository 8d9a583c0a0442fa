//! What the whole stack costs a call, and what it does under three times too much:
//! `cargo bench -p fixed-server --bench stack`, or `make bench-stack`.
//!
//! Every server is a process of its own: fixed-server with all of its limits on, and beside it the
//! barest relay that there is, made of the same two libraries. They get the same calls in turns, so that
//! whatever else the machine does, it does to all of them. The client and the vendor share the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]

/// A vendor that answers at once.
mod instant_vendor;
/// Calls on a schedule, and how long they took.
mod load;
/// More than there is room for.
mod overload;
/// The barest relay.
mod relay;
/// A server as a process.
mod server;

use std::time::Duration;

use load::Latencies;
use mock_llm::MockLlm;
use server::Server;

/// Calls a second.
const RATE: u32 = 1000;
const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_secs(2);

/// All limits on and none of them reached.
const EVERYTHING: [&str; 16] = [
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
    "--priorities",
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

/// What one server took, round by round.
#[derive(Default)]
struct Measured {
    rounds: Vec<Latencies>,
    cpu_ms: u64,
}

async fn overhead() {
    let vendor = start_this(&[INSTANT_VENDOR]);
    let relay = start_this(&[RELAY, &vendor.url()]);
    let fixed = start_fixed(&vendor.url(), &EVERYTHING);
    let quiet = start_fixed(&vendor.url(), &[&EVERYTHING[..], &["--log-level", "warn"]].concat());
    let rows = [
        ("bare relay", &relay, "/llm"),
        ("fixed-server, /llm", &fixed, "/llm"),
        ("  without a log line a call", &quiet, "/llm"),
        ("fixed-server, /v1 (reads a key)", &fixed, "/v1/chat/completions"),
    ];

    println!("{RATE} calls a second, {ROUNDS} rounds of {ROUND:?} each in turns; medians of the rounds, in ms");
    println!("{:32}  {:>7} {:>7}  {:>9} {:>9}  {:>11}", "", "p50", "p99", "added p50", "added p99", "CPU us/call");
    let mut measured = rows.map(|_| Measured::default());
    for round in 0..=ROUNDS {
        for ((_, server, path), measured) in rows.iter().zip(&mut measured) {
            let before = server.cpu_ms();
            let latencies = load::constant(server.addr, path, RATE, ROUND).await;
            // The first round opens the connections and warms everything up.
            if round > 0 {
                measured.rounds.push(latencies);
                measured.cpu_ms += server.cpu_ms() - before;
            }
        }
    }
    let base = [0.5, 0.99].map(|quantile| measured[0].median(quantile));
    let calls = f64::from(RATE) * (load::WARM_UP + ROUND).as_secs_f64() * ROUNDS as f64;
    for ((name, ..), measured) in rows.iter().zip(&measured) {
        let [p50, p99] = [0.5, 0.99].map(|quantile| measured.median(quantile));
        let (more_p50, more_p99, cpu) = (p50 - base[0], p99 - base[1], 1000.0 * measured.cpu_ms as f64 / calls);
        println!("{name:32}  {p50:>7.3} {p99:>7.3}  {more_p50:>9.3} {more_p99:>9.3}  {cpu:>11.0}");
    }
}

impl Measured {
    /// The median of the rounds' quantiles.
    fn median(&self, quantile: f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(|round| round.at(quantile)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}
