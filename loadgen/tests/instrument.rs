//! The generator is the measuring instrument, so it is measured itself: against a server whose
//! latency is known, stalls included.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use loadgen::http::Endpoint;
use loadgen::measure::{LagLog, ProbeKind, ProbeLog, ProbePlan, Prober};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::sleep_until;

/// When a request that came at `since` (from the server's start) is answered; never, if none.
type Answer = fn(since: Duration) -> Option<Duration>;

/// A server that answers each request when `answer` says.
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
async fn a_constant_latency_is_measured_as_it_is() {
    let delay = Duration::from_millis(50);
    let endpoint = server(|since| Some(since + Duration::from_millis(50))).await;
    let log = probe(endpoint, 50.0, Duration::from_secs(5), Duration::from_secs(2)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    let ratio = stats.latency_ms.p50 / 1000.0 / delay.as_secs_f64();
    assert!((1.0..2.0).contains(&ratio), "a server of 50 ms was measured at {} ms", stats.latency_ms.p50);
    assert_eq!((stats.ok, stats.failed, stats.timed_out), (stats.sent, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_is_seen_by_every_probe_that_was_due_in_it() {
    // Frozen from 0.5 s to 1.5 s; else it answers at once.
    let endpoint = server(|since| {
        let frozen = Duration::from_millis(500)..Duration::from_millis(1500);
        Some(if frozen.contains(&since) { frozen.end } else { since })
    })
    .await;
    let log = probe(endpoint, 50.0, Duration::from_secs(5), Duration::from_secs(3)).await;
    let records = log.due_between(Duration::ZERO, FOREVER);
    let longest = records.iter().map(|record| record.latency).max().unwrap();
    assert!(longest >= Duration::from_millis(900), "the longest of {} was {longest:?}", records.len());
    // 50 probes were due in the stall; 25 of them had half of it still before them. A closed loop
    // would have sent one.
    let long = records.iter().filter(|record| record.latency >= Duration::from_millis(500)).count();
    assert!((15..=30).contains(&long), "{long} of {} probes met the stall", records.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_cannot_slow_the_schedule() {
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
async fn nobody_listening_is_a_failure_not_a_latency() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let log = probe(Endpoint::at(addr), 40.0, Duration::from_secs(5), Duration::from_secs(1)).await;
    let stats = log.stats(Duration::ZERO, FOREVER);
    assert!(stats.sent > 0);
    assert_eq!((stats.failed, stats.ok), (stats.sent, 0));
}
