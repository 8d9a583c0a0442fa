//! A health check that is always well.

use std::time::Duration;

use wire::health::{HealthReport, HealthStatus};

use super::{GAP, SYNC, TOKENS};
use crate::support::{Client, TestServer, until, vendor};

/// What `/health` says three times, and how long `/debug/health-sync` takes, while two streams run
/// beside a pool of two.
async fn beside_two_streams(mistake: &str) -> (Vec<HealthReport>, Duration) {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start(mistake, &mock.url(), &["--blocking-threads", "2"]);
    let client = server.client();
    let streams = [client.open_stream().await, client.open_stream().await];
    until("both streams at the vendor", async || mock.ledger().active == 2).await;
    let (reports, sync) = tokio::join!(reports(&client), client.time(SYNC));
    for stream in streams {
        assert!(stream.finish().await.is_whole());
    }
    (reports, sync)
}

async fn reports(client: &Client) -> Vec<HealthReport> {
    let mut reports = Vec::new();
    for _ in 0..3 {
        let response = client.get("/health").await;
        assert_eq!(response.status(), 200);
        reports.push(response.json().await.unwrap());
    }
    reports
}

fn healthy(reports: &[HealthReport]) -> usize {
    reports.iter().filter(|report| report.status == HealthStatus::Healthy).count()
}

#[tokio::test]
async fn it_says_healthy_while_sync_health_hangs() {
    let (reports, sync) = beside_two_streams("wrong-canary").await;
    assert!(sync >= GAP * 8, "health-sync does not hang: {sync:?}");
    // A busy machine may make one of them slow.
    assert!(healthy(&reports) >= 1, "{reports:?}");
    let seconds = reports.iter().map(|report| report.checks.thread_pool_response_time);
    assert!(seconds.clone().all(|seconds| seconds >= 0.01), "its work takes 10 ms: {reports:?}");
    assert!(seconds.clone().fold(f64::MAX, f64::min) <= sync.as_secs_f64() / 4.0, "{reports:?} beside {sync:?}");
}

#[tokio::test]
async fn the_right_canary_says_ill_under_the_same_load() {
    let (reports, _) = beside_two_streams("pool-exhaustion").await;
    assert_ne!(reports[0].status, HealthStatus::Healthy, "{reports:?}");
}

#[tokio::test]
async fn the_controls_is_well_and_so_is_the_control() {
    let (reports, sync) = beside_two_streams("none").await;
    assert!(healthy(&reports) >= 1, "{reports:?}");
    assert!(sync < GAP * 8, "{sync:?}");
}
