use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::interval;

use super::{ASYNC, GAP, TOKENS};
use crate::support::{Client, TestServer, vendor};

const STALL: Duration = Duration::from_millis(400);
const EVERY: Duration = Duration::from_millis(1200);

/// Probes that are due 20 ms apart whatever became of those before: when each was due, and its time from
/// then.
async fn open_loop(client: &Client, probes: usize) -> Vec<(Duration, Duration)> {
    let begun = Instant::now();
    let mut schedule = interval(Duration::from_millis(20));
    let mut waiting = JoinSet::new();
    for _ in 0..probes {
        let due = schedule.tick().await.into_std();
        let client = client.clone();
        waiting.spawn(async move {
            assert_eq!(client.get(ASYNC).await.status(), 200);
            (due.saturating_duration_since(begun), due.elapsed())
        });
    }
    let mut probed = waiting.join_all().await;
    probed.sort();
    probed
}

/// The share of probes that took over a quarter of a stall.
fn slow(times: impl Iterator<Item = Duration>) -> f64 {
    let times: Vec<_> = times.collect();
    times.iter().filter(|time| **time > STALL / 4).count() as f64 / times.len() as f64
}

async fn start(mistake: &str, flags: &[&str]) -> (mock_llm::MockLlm, TestServer) {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start(mistake, &mock.url(), flags);
    (mock, server)
}

const STALLING: &[&str] = &["--stall-every", "1200ms", "--stall-for", "400ms"];

#[tokio::test]
async fn every_stall_is_seen_by_probes_that_are_due_whatever_happens() {
    let (_mock, server) = start("coordinated-omission", STALLING).await;
    let client = server.client();
    let probed = open_loop(&client, 180).await;
    let worst = probed.iter().map(|probe| probe.1).max().unwrap();
    assert!(worst >= STALL.mul_f64(0.7), "{worst:?}");
    assert!(worst <= STALL.mul_f64(1.9), "more than one stall at a time: {worst:?}");
    // A third of the time is stalls; a probe counts as slow in three quarters of each.
    let share = slow(probed.iter().map(|probe| probe.1));
    assert!((0.12..=0.5).contains(&share), "{share} of the probes were slow");
    // Three stalls in 3.6 s, and not one long one.
    let slow_at: Vec<_> = probed.iter().filter(|probe| probe.1 > STALL / 4).map(|probe| probe.0).collect();
    let apart = slow_at.windows(2).filter(|pair| pair[1] - pair[0] > (EVERY - STALL) / 2).count();
    assert!((1..=3).contains(&apart), "{slow_at:?}");
}

#[tokio::test]
async fn one_probe_after_the_other_hardly_sees_them() {
    let (_mock, server) = start("coordinated-omission", STALLING).await;
    let client = server.client();
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < 3 * EVERY {
        times.push(client.time(ASYNC).await);
    }
    let share = slow(times.iter().copied());
    assert!(times.iter().any(|time| *time > STALL / 2), "no stall in {:?}", begun.elapsed());
    assert!(share <= 0.05, "{share} of {} probes were slow", times.len());
}

#[tokio::test]
async fn the_streams_are_those_of_the_control_and_the_control_has_no_stalls() {
    for (mistake, flags) in [("coordinated-omission", STALLING), ("none", &[])] {
        let (_mock, server) = start(mistake, flags).await;
        let response = server.client().chat().send().await.unwrap();
        assert_eq!(response.headers()["x-stream-method"], "async");
    }
    let (_mock, server) = start("none", &[]).await;
    let probed = open_loop(&server.client(), 120).await;
    let share = slow(probed.iter().map(|probe| probe.1));
    assert!(share <= 0.05, "{share} of the probes were slow");
}
