//! What the whole stack costs a call, and what it does under three times too much:
//! `cargo bench -p fixed-server --bench stack`, or `make bench-stack`.
//!
//! Every server is a process of its own: fixed-server with all of its limits on, and beside it the
//! barest relay that there is, made of the same two libraries. They get the same calls in turns, so that
//! whatever else the machine does, it does to all of them. The client and the vendor share the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]

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
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(3);

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

fn main() {
    let mut args = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match (args.next().as_deref(), args.next()) {
        (Some("relay"), Some(upstream)) => runtime.block_on(relay::run(&upstream)),
        // cargo passes `--bench`.
        _ => runtime.block_on(async {
            overhead().await;
            overload::run().await;
        }),
    }
}

async fn overhead() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let this = std::env::current_exe().unwrap();
    let upstream = mock.url();
    let relay = Server::start(&this, &["relay", &upstream]);
    let fixed_flags = [&["--listen", "127.0.0.1:0", "--upstream", &upstream][..], &EVERYTHING].concat();
    let fixed = Server::start(env!("CARGO_BIN_EXE_fixed-server").as_ref(), &fixed_flags);
    let rows = [
        ("bare relay", &relay, "/llm"),
        ("fixed-server, /llm", &fixed, "/llm"),
        ("fixed-server, /v1 (reads a key)", &fixed, "/v1/chat/completions"),
    ];

    println!("{RATE} calls a second, {ROUNDS} rounds of {ROUND:?} each in turns; medians of the rounds, in ms");
    println!("{:32}  {:>7} {:>7}  {:>9} {:>9}", "", "p50", "p99", "added p50", "added p99");
    let mut measured: Vec<Vec<Latencies>> = rows.iter().map(|_| Vec::new()).collect();
    for round in 0..=ROUNDS {
        for ((_, server, path), measured) in rows.iter().zip(&mut measured) {
            let latencies = load::constant(server.addr, path, RATE, ROUND).await;
            // The first round opens the connections and warms everything up.
            if round > 0 {
                measured.push(latencies);
            }
        }
    }
    let median = |rounds: &[Latencies], quantile: f64| {
        let mut values: Vec<f64> = rounds.iter().map(|round| round.at(quantile)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let base = [0.5, 0.99].map(|quantile| median(&measured[0], quantile));
    for ((name, ..), rounds) in rows.iter().zip(&measured) {
        let [p50, p99] = [0.5, 0.99].map(|quantile| median(rounds, quantile));
        println!("{name:32}  {p50:>7.3} {p99:>7.3}  {:>9.3} {:>9.3}", p50 - base[0], p99 - base[1]);
    }
}
