//! The closed-loop probe and scheduled probes against a server with known stalls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use loadgen::http::{Endpoint, KeepAliveConnection};
use loadgen::measure::{ClosedLoop, ClosedLoopPlan, LagLog, ProbeKind, ProbePlan, Prober};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, sleep_until};

/// The server does not answer in the last 600 ms of every 2 s.
const PERIOD: Duration = Duration::from_secs(2);
const STALL: Duration = Duration::from_millis(600);

/// A server that stalls and keeps its connections open, and the number of connections that it has accepted.
async fn stalling() -> (Endpoint, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (accepted, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let counter = accepted.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Relaxed);
            tokio::spawn(serve(stream, start));
        }
    });
    (Endpoint::at(addr), accepted)
}

async fn serve(mut stream: TcpStream, start: Instant) {
    let mut request = [0; 1024];
    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
        let since = start.elapsed();
        let into_period = Duration::from_nanos((since.as_nanos() % PERIOD.as_nanos()) as u64);
        if into_period > PERIOD - STALL {
            sleep_until((start + since + (PERIOD - into_period)).into()).await;
        }
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scheduled_probes_see_a_stall_that_a_closed_loop_misses() {
    let (endpoint, accepted) = stalling().await;
    let origin = Instant::now();
    let plan =
        ClosedLoopPlan { path: "/health".into(), pause: Duration::from_millis(2), timeout: Duration::from_secs(5) };
    let asking = ClosedLoop::start(origin, endpoint.clone(), plan);
    let kinds = vec![ProbeKind::new("health", "/health")];
    let plan = ProbePlan { kinds, rate: 20.0, timeout: Duration::from_secs(5) };
    let (prober, logs) = Prober::start(origin, vec![(endpoint, plan)], Arc::new(LagLog::default()));
    let whole = 2 * PERIOD;
    sleep(whole).await;
    prober.finish().await;

    let one_by_one = asking.stats(Duration::ZERO, whole);
    let on_schedule = logs[0][0].stats(Duration::ZERO, whole);
    let stall = STALL.as_secs_f64() * 1000.0;
    assert_eq!(one_by_one.failed, 0);
    assert!(one_by_one.latency_ms.max >= 0.5 * stall, "it met a stall: {one_by_one:?}");
    assert!(one_by_one.latency_ms.p99 <= 0.2 * stall, "as one question in hundreds: {one_by_one:?}");
    assert!(one_by_one.mean_ms <= 0.2 * stall, "{one_by_one:?}");
    assert!(on_schedule.latency_ms.p99 >= 0.7 * stall, "{on_schedule:?}");
    let all_probes = logs[0][0].stats(Duration::ZERO, Duration::MAX).sent;
    assert_eq!(accepted.load(Relaxed), 1 + all_probes, "one connection for all questions, one for each probe");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_is_reopened() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connection = KeepAliveConnection::new(Endpoint::at(listener.local_addr().unwrap()));
    let serving = tokio::spawn(async move {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
        }
    });
    for _ in 0..3 {
        assert_eq!(connection.get("/health").await.unwrap(), 200);
    }
    serving.await.unwrap();
    // The server has stopped listening.
    assert!(connection.get("/health").await.is_err());
}
