//! The cost of the mock, and how well it keeps its schedule: `cargo bench -p mock-llm`.
//!
//! Runs the program as a separate process and holds streams open over raw sockets. The client shares the machine, so
//! its own lateness counts against the vendor. With `--other-url` and `--other-pid` another running mock is measured
//! by the same client in the same run (see the README).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]

mod client;
mod process;
mod table;

use std::time::{Duration, Instant};

use clap::Parser;

use client::{Load, Measured, Target};
use process::{Vendor, usage};

/// Measures mock-llm, and another mock beside it.
#[derive(Debug, Parser)]
struct Args {
    /// How long to measure each case
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    window: Duration,
    /// Chat completions of another mock, such as http://127.0.0.1:8080/v1/chat/completions; it must be configured
    /// for one token every 50 ms
    #[arg(long, requires = "other_pid", value_parser = Target::parse)]
    other_url: Option<Target>,
    /// Process id of the other mock
    #[arg(long, requires = "other_url")]
    other_pid: Option<u32>,
    /// Passed by cargo to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A load: a number of streams, and the time between two tokens.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    streams: usize,
    gap: Duration,
}

const fn case(name: &'static str, streams: usize, gap_ms: u64) -> Case {
    Case { name, streams, gap: Duration::from_millis(gap_ms) }
}

const SCHEDULE: Case = case("schedule", 1_000, 50);
const RATE: Case = case("rate", 1_000, 10);
/// Twice the rate that one core must sustain, to find the limit.
const OVERLOAD: Case = case("overload", 1_000, 5);
const MEMORY: Case = case("memory", 10_000, 1_000);

fn main() {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        rlimit::increase_nofile_limit(u64::MAX).unwrap();
        table::head();
        for case in [SCHEDULE, RATE, OVERLOAD, MEMORY] {
            let vendor = Vendor::start().await;
            table::row("mock-llm", &case, &measure(vendor.pid(), &vendor.target(), case, args.window).await);
        }
        if let (Some(target), Some(pid)) = (args.other_url, args.other_pid) {
            table::row("the other", &SCHEDULE, &measure(pid, &target, SCHEDULE, args.window).await);
        }
        let vendor = Vendor::start().await;
        table::mass_disconnect(&client::disconnect_all(&vendor.target(), 500, Duration::from_millis(200)).await);
    });
}

/// Streams held before the idle memory is read, so that what a program allocates at its first requests does not count
/// as the memory of a stream.
const WARM_UP_STREAMS: usize = 50;

/// Opens the streams, evenly over a second or two, and measures when all of them run.
async fn measure(pid: u32, target: &Target, case: Case, window: Duration) -> Measured {
    let warm_up = Load::start(target, WARM_UP_STREAMS, case.gap, Duration::from_millis(100));
    tokio::time::sleep(Duration::from_millis(100) + case.gap * 3).await;
    warm_up.stop(Instant::now(), Instant::now()).await;
    let idle = usage(pid);
    let ramp = Duration::from_secs(1 + case.streams as u64 / 5_000);
    let load = Load::start(target, case.streams, case.gap, ramp);
    tokio::time::sleep(ramp + Duration::from_secs(1)).await;

    let (begin, events_before) = (Instant::now(), load.events());
    let before = usage(pid);
    tokio::time::sleep(window).await;
    let after = usage(pid);
    let (end, events) = (Instant::now(), load.events() - events_before);
    Measured {
        seconds: (end - begin).as_secs_f64(),
        events,
        cpu_seconds: (after.cpu - before.cpu).as_secs_f64(),
        rss_bytes: after.rss_bytes,
        stream_bytes: after.rss_bytes.saturating_sub(idle.rss_bytes) / case.streams as u64,
        late_ms: load.stop(begin, end).await,
    }
}
