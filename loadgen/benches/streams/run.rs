//! One run of the benchmark: streams held open, health probed, processes watched.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use loadgen::result::{Outcome, RunResult, TimelineRow};
use process::{Launch, Process, START_TIMEOUT, StartError, Usage, usage_of};
use tokio::time::{Instant, sleep};

use crate::servers::{Running, Server};

/// A load to hold: a number of streams, and the time between two tokens of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) streams: u32,
    pub(crate) gap: Duration,
}

/// What one run found, once all streams were open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) chunks_per_second: f64,
    pub(crate) cpu_us_per_chunk: f64,
    /// The same of the vendor and of the generator.
    pub(crate) vendor_cpu_us_per_chunk: f64,
    pub(crate) loadgen_cpu_us_per_chunk: f64,
    /// Growth of the resident memory since before the first stream, divided by the streams.
    pub(crate) stream_kib: f64,
    pub(crate) health_p99_ms: f64,
    /// Streams that were neither whole nor closed by the generator.
    pub(crate) lost: f64,
    /// How late the generator itself was.
    pub(crate) lag_p99_ms: f64,
    /// The latency is not to be trusted: the generator lagged, as it does on a machine that is busy with
    /// something else.
    pub(crate) invalid: bool,
}

/// The phase of a run in which all streams are open.
const LOADED: &str = "loaded";

/// How long the idle server is probed before the streams begin.
const BASELINE: Duration = Duration::from_secs(1);

/// Streams before the measurement, so that what a program loads with its first requests is not taken
/// for the cost of a stream.
const WARM_UP: [&str; 8] = ["--concurrency", "50", "--ramp", "100ms", "--duration", "1s", "--baseline", "0s"];

/// Runs `case` against `server`.
pub(crate) async fn run(server: Server, case: Case, window: Duration, program_dir: &Path) -> anyhow::Result<Measured> {
    let gap = format!("{}ms", case.gap.as_millis());
    let vendor = ["--tokens", "1000000", "--ttft", "250ms", "--inter-token", &gap];
    let vendor = Launch::new(program_dir.join("mock-llm")).on_free_port().args(vendor).start(START_TIMEOUT).await?;
    let running = server.start(vendor.addr(), program_dir).await?;

    let warm_up = WARM_UP.map(str::to_owned);
    finish(start_loadgen(program_dir, server, running.addr(), &warm_up)?).await?;
    let idle_bytes = usage(running.pid())?.rss_bytes;
    let ramp = Duration::from_secs(2 + u64::from(case.streams) / 1_000);
    let out = std::env::temp_dir().join(format!("bench-streams-{}.json", std::process::id()));
    let args = arguments(case, ramp, window, &running, vendor.addr(), &out);
    let loadgen = start_loadgen(program_dir, server, running.addr(), &args)?;
    let pids = [vendor.pid(), loadgen.pid()];
    // Well within the phase in which all streams are open.
    let begin = BASELINE + ramp + Duration::from_secs(1);
    let length = window - Duration::from_secs(2);
    let (finished, used) = tokio::join!(finish(loadgen), cpu_cores(pids, begin, length));
    finished?;
    let text = std::fs::read_to_string(&out).context("loadgen wrote no result")?;
    std::fs::remove_file(&out)?;
    let result: RunResult = serde_json::from_str(&text)?;
    measured(&result, case, idle_bytes, used?)
}

fn arguments(
    case: Case,
    ramp: Duration,
    window: Duration,
    running: &Running,
    vendor: SocketAddr,
    out: &Path,
) -> Vec<String> {
    let pairs = [
        ("--concurrency", case.streams.to_string()),
        ("--baseline", format!("{}ms", BASELINE.as_millis())),
        ("--ramp", format!("{}ms", ramp.as_millis())),
        ("--duration", format!("{}ms", (ramp + window).as_millis())),
        ("--probe", "health=/debug/health-sync".to_owned()),
        // Enough of them for a 99th percentile that is not the second worst of a few.
        ("--probe-rate", "100".to_owned()),
        ("--vendor", format!("http://{vendor}")),
        ("--pid", running.pid().to_string()),
        ("--out", out.display().to_string()),
    ];
    pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}

/// Starts the generator as a process of its own.
fn start_loadgen(program_dir: &Path, server: Server, addr: SocketAddr, args: &[String]) -> Result<Process, StartError> {
    let loadgen = Launch::new(program_dir.join("loadgen")).args(["run", "--url", &format!("http://{addr}")]);
    loadgen.args(server.request().iter().copied()).args(args).spawn()
}

/// Waits for the generator's end.
async fn finish(loadgen: Process) -> anyhow::Result<()> {
    const TIMEOUT: Duration = Duration::from_secs(600);
    // An objective that was not met, or a run that is invalid: the result says so.
    const WITH_RESULT: [Option<i32>; 3] = [Some(0), Some(1), Some(3)];
    let status = loadgen.wait(TIMEOUT).await?;
    anyhow::ensure!(WITH_RESULT.contains(&status.code()), "loadgen ended with {status}: {}", loadgen.last_lines());
    Ok(())
}

/// Share of one processor that each process uses from `begin` on, for `length`.
async fn cpu_cores<const N: usize>(pids: [u32; N], begin: Duration, length: Duration) -> anyhow::Result<[f64; N]> {
    let used = || -> anyhow::Result<Vec<f64>> { pids.iter().map(|pid| Ok(usage(*pid)?.cpu.as_secs_f64())).collect() };
    sleep(begin).await;
    let (begun, before) = (Instant::now(), used()?);
    sleep(length).await;
    let (elapsed, after) = (begun.elapsed().as_secs_f64(), used()?);
    Ok(std::array::from_fn(|index| (after[index] - before[index]) / elapsed))
}

fn measured(result: &RunResult, case: Case, idle_bytes: u64, [vendor, loadgen]: [f64; 2]) -> anyhow::Result<Measured> {
    let target = result.target.as_ref().context("the result has no target")?;
    let loaded = target.phases.iter().find(|phase| phase.name == LOADED).context("no phase under load")?;
    let rows: Vec<_> = target
        .timeline
        .windows(2)
        .filter(|pair| pair[0].t_ms >= loaded.from_ms && pair[1].t_ms < loaded.to_ms)
        .collect();
    let seconds = |pair: &[TimelineRow]| (pair[1].t_ms - pair[0].t_ms) / 1_000.0;
    let chunks: f64 = rows.iter().map(|pair| pair[0].chunks as f64).sum();
    let cpu_seconds: f64 = rows.iter().map(|pair| pair[0].cpu_cores.unwrap_or(f64::NAN) * seconds(pair)).sum();
    let loaded_bytes = rows.iter().filter_map(|pair| pair[0].rss_bytes).max().context("the process was not seen")?;
    let probes = loaded.probes.get("health").context("no probes")?;
    let chunks_per_second = chunks / rows.iter().map(|pair| seconds(pair)).sum::<f64>();
    Ok(Measured {
        chunks_per_second,
        cpu_us_per_chunk: 1e6 * cpu_seconds / chunks,
        vendor_cpu_us_per_chunk: 1e6 * vendor / chunks_per_second,
        loadgen_cpu_us_per_chunk: 1e6 * loadgen / chunks_per_second,
        stream_kib: loaded_bytes.saturating_sub(idle_bytes) as f64 / f64::from(case.streams) / 1_024.0,
        health_p99_ms: probes.latency_ms.p99,
        lost: target.streams.lost() as f64,
        lag_p99_ms: result.generator.schedule_lag_ms.p99,
        invalid: result.verdict.result == Outcome::Invalid,
    })
}

fn usage(pid: u32) -> anyhow::Result<Usage> {
    usage_of(pid).context("a process has ended")
}
