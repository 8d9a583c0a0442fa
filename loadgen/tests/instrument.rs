//! The measuring instrument measured: probes against a server with known latency and stalls.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loadgen::http::Endpoint;
use loadgen::measure::{LagLog, ProbeKind, ProbeLog, ProbePlan, Prober};
use process::{Launch, START_TIMEOUT, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::sleep_until;

/// After what time a request is answered that arrived `since` the server's start; never if `None`.
type Answer = fn(since: Duration) -> Option<Duration>;

/// A server that answers each request as `answer` says.
async fn server(answer: Answer) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let start = Instant::now();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                match answer(start.elapsed()) {
                    Some(at) => sleep_until((start + at).into()).await,
                    None => std::future::pending().await,
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            });
        }
    });
    Endpoint::at(addr)
}

/// Probes `endpoint` at `rate` for `duration` and waits for the answers.
async fn probe(endpoint: Endpoint, rate: f64, timeout: Duration, duration: Duration) -> Arc<ProbeLog> {
    let kinds = vec![ProbeKind::new("health", "/health")];
    let plan = ProbePlan { kinds, rate, timeout };
    let (prober, mut logs) = Prober::start(Instant::now(), vec![(endpoint, plan)], Arc::new(LagLog::default()));
    tokio::time::sleep(duration).await;
    prober.finish().await;
    logs.remove(0).remove(0)
}

const FOREVER: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn a_constant_latency_is_measured_exactly() {
    let delay = Duration::from_millis(50);
    let endpoint = server(|since| Some(since + Duration::from_millis(50))).await;
    let log = probe(endpoint, 50.0, Duration::from_secs(5), Duration::from_secs(2)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    let ratio = stats.latency_ms.p50 / 1000.0 / delay.as_secs_f64();
    assert!((1.0..2.0).contains(&ratio), "a server of 50 ms was measured at {} ms", stats.latency_ms.p50);
    assert_eq!((stats.ok, stats.failed, stats.timed_out), (stats.sent, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_probe_due_in_a_stall_sees_it() {
    // Stalled from 0.5 s to 1.5 s; otherwise it answers at once.
    let endpoint = server(|since| {
        let frozen = Duration::from_millis(500)..Duration::from_millis(1500);
        Some(if frozen.contains(&since) { frozen.end } else { since })
    })
    .await;
    let log = probe(endpoint, 50.0, Duration::from_secs(5), Duration::from_secs(3)).await;
    let records = log.due_between(Duration::ZERO, FOREVER);
    let longest = records.iter().map(|record| record.latency).max().unwrap();
    assert!(longest >= Duration::from_millis(900), "the longest of {} was {longest:?}", records.len());
    // 50 probes were due in the stall, and half of them waited at least half of it. A closed loop would have
    // sent one.
    let long = records.iter().filter(|record| record.latency >= Duration::from_millis(500)).count();
    assert!((15..=30).contains(&long), "{long} of {} probes met the stall", records.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_server_does_not_slow_the_schedule() {
    let timeout = Duration::from_millis(700);
    let endpoint = server(|_| None).await;
    let log = probe(endpoint, 40.0, timeout, Duration::from_secs(2)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    assert!((70..=90).contains(&stats.sent), "{} probes in 2 s at 40/s", stats.sent);
    assert_eq!(stats.timed_out, stats.sent, "each must count as timed out");
    let expected = timeout.as_secs_f64() * 1000.0;
    assert!((stats.latency_ms.p50 / expected - 1.0).abs() < 0.01, "a time-out counts at its time-out: {stats:?}");
    assert!(log.longest_wait(FOREVER).is_none(), "nothing may be left waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_a_failure_without_latency() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let log = probe(Endpoint::at(addr), 40.0, Duration::from_secs(5), Duration::from_secs(1)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    assert!(stats.sent > 0);
    assert_eq!((stats.failed, stats.ok), (stats.sent, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_of_two_seconds_is_seen_in_full() {
    // Stalled from 1 s to 3 s.
    let endpoint = server(|since| {
        let frozen = Duration::from_secs(1)..Duration::from_secs(3);
        Some(if frozen.contains(&since) { frozen.end } else { since })
    })
    .await;
    let log = probe(endpoint, 50.0, Duration::from_secs(5), Duration::from_secs(4)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    assert_eq!((stats.ok, stats.failed, stats.timed_out, stats.not_sent), (stats.sent, 0, 0, 0), "{stats:?}");
    // Half of the probes were due in the stall, so the slowest of a hundred waited for nearly all of it.
    for (seen, expected) in [(stats.latency_ms.max, 2_000.0), (stats.latency_ms.p99, 1_960.0)] {
        assert!((seen / expected - 1.0).abs() < 0.05, "{seen} is not {expected}: {stats:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_stopped_for_two_seconds_is_seen_in_full() {
    const RATE: f64 = 100.0;
    let program = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("mock-llm");
    let server = Launch::new(program).on_free_port().start(START_TIMEOUT).await.unwrap();
    let signal = |signal| {
        server.signal(signal).unwrap();
        Instant::now()
    };
    let kinds = vec![ProbeKind::new("health", "/health")];
    let plan = ProbePlan { kinds, rate: RATE, timeout: Duration::from_secs(10) };
    let targets = vec![(Endpoint::at(server.addr()), plan)];
    let (prober, logs) = Prober::start(Instant::now(), targets, Arc::new(LagLog::default()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let stopped = signal(Signal::Stop);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let stall = (signal(Signal::Cont) - stopped).as_secs_f64();
    tokio::time::sleep(Duration::from_millis(500)).await;
    prober.finish().await;

    let records = logs[0][0].due_between(Duration::ZERO, FOREVER);
    let later_than =
        |share: f64| records.iter().filter(|record| record.latency.as_secs_f64() > share * stall).count() as f64;
    // One that is due in the stall waits for the rest of it: a quarter of them for three quarters of it, and so on.
    for share in [0.25, 0.5, 0.75] {
        let ratio = later_than(share) / (RATE * stall * (1.0 - share));
        assert!((0.9..1.15).contains(&ratio), "{} waited for more than {share} of {stall} s", later_than(share));
    }
    let longest = records.iter().map(|record| record.latency.as_secs_f64()).fold(0.0, f64::max) / stall;
    assert!((0.97..1.2).contains(&longest), "the longest of {} waited for {longest} of {stall} s", records.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn percentiles_match_the_servers() {
    // Uniform from 100 to 300 ms: a probe at time t is answered after 100 ms plus t modulo 200 ms.
    let endpoint = server(|since| {
        let into = Duration::from_millis((since.as_millis() % 200) as u64);
        Some(since + Duration::from_millis(100) + into)
    })
    .await;
    // 17 and 200 are coprime, so that all latencies are equally frequent.
    let log = probe(endpoint, 1.0 / 0.017, Duration::from_secs(5), Duration::from_secs(4)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    let q = stats.latency_ms;
    for (seen, expected) in [(q.p50, 200.0), (q.p90, 280.0), (q.p99, 298.0), (q.max, 300.0)] {
        assert!((seen / expected - 1.0_f64).abs() < 0.05, "{seen} is not {expected}: {stats:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_are_counted_as_the_server_counts_them() {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    // In turn: 200, another 2xx, 503, 404, closed without an answer, never answered.
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let status = match ASKED.fetch_add(1, Relaxed) % 6 {
                    0 => "200 OK",
                    1 => "204 No Content",
                    2 => "503 Service Unavailable",
                    3 => "404 Not Found",
                    4 => return,
                    _ => std::future::pending().await,
                };
                let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
            });
        }
    });
    let log = probe(Endpoint::at(addr), 60.0, Duration::from_millis(500), Duration::from_secs(2)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    let (asked, of_six) = (ASKED.load(Relaxed), |which: u64| (ASKED.load(Relaxed) + 5 - which) / 6);
    assert_eq!(stats.sent, asked);
    assert_eq!((stats.ok, stats.timed_out), (of_six(0) + of_six(1), of_six(5)));
    assert_eq!(stats.failed, of_six(2) + of_six(3) + of_six(4));
    let cause = |name: &str| stats.failures.get(name).copied().unwrap_or(0);
    assert_eq!((cause("status 503"), cause("status 404")), (of_six(2), of_six(3)));
    assert_eq!(cause("closed before an answer"), of_six(4));
}
