//! A generator without descriptors reports it: unsent probes say nothing about the server. In a file of its own,
//! because the limit is that of the whole process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loadgen::http::Endpoint;
use loadgen::measure::{LagLog, ProbeKind, ProbePlan, Prober};
use process::Launch;

#[tokio::test(flavor = "multi_thread")]
async fn unsent_probes_make_the_run_invalid() {
    // The system accepts connections for it; it never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = hanging.local_addr().unwrap();

    // A program with a low limit reports it before the load.
    let url = format!("http://{addr}");
    let launch = Launch::new(env!("CARGO_BIN_EXE_loadgen")).descriptors(150);
    let launch = launch.args(["run", "--url", &url, "--probe", "health=/health", "--concurrency", "5"]);
    let output = launch.output(Duration::from_secs(30)).await.unwrap();
    let said = output.stderr.clone();
    // 20 probes per second for 10 s, 5 streams, and two hundred for everything else.
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("needs 405 file descriptors, but the limit is 150"), "{said}");

    // If they run out during the run: most descriptors of this process are taken.
    const LIMIT: u64 = 256;
    let (_, hard) = rlimit::getrlimit(rlimit::Resource::NOFILE).unwrap();
    rlimit::setrlimit(rlimit::Resource::NOFILE, LIMIT, hard).unwrap();
    let mut taken: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    assert!(!taken.is_empty(), "the limit holds");
    // Enough for the event loop of the probes and for some probes.
    taken.truncate(taken.len() - 40);
    let (lag, timeout) = (Arc::new(LagLog::default()), Duration::from_secs(1));
    let plan = ProbePlan { kinds: vec![ProbeKind::new("health", "/health")], rate: 100.0, timeout };
    let (prober, logs) = Prober::start(Instant::now(), vec![(Endpoint::at(addr), plan)], lag.clone());
    tokio::time::sleep(Duration::from_secs(2)).await;
    prober.finish().await;
    drop(taken);

    let stats = logs[0][0].stats(Duration::ZERO, Duration::MAX);
    assert!(stats.not_sent > 50, "{stats:?}");
    assert_eq!(stats.not_sent, lag.generator().not_sent, "the run is invalid by these");
    assert_eq!((stats.timed_out, stats.ok, stats.failed), (stats.sent, 0, 0), "{stats:?}");
    assert!((stats.latency_ms.p50 - 1_000.0).abs() < f64::EPSILON, "none of them is a fast failure: {stats:?}");
}
