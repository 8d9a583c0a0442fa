//! Stalls on a schedule.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::interval;

use super::{ASYNC, GAP, TOKENS};
use crate::support::{Client, TestServer, vendor};

const STALL: Duration = Duration::from_millis(800);
const EVERY: Duration = Duration::from_millis(2000);

/// Longer than this is slow.
const SLOW: Duration = Duration::from_millis(400);

const STALLING: &[&str] = &["--stall-every", "2s", "--stall-for", "800ms"];

/// Probes that are due 20 ms apart whatever became of those before: when each was due, and its time from
/// then.
async fn on_schedule(client: &Client, length: Duration) -> Vec<(Duration, Duration)> {
    let begun = Instant::now();
    let mut schedule = interval(Duration::from_millis(20));
    let mut waiting = JoinSet::new();
    while begun.elapsed() < length {
        let due = schedule.tick().await.into_std();
        let client = client.clone();
        waiting.spawn(async move {
            assert_eq!(client.get(ASYNC).await.status(), 200);
            (due.saturating_duration_since(begun), due.elapsed())
        });
    }
    let mut probed = waiting.join_all().await;
    probed.sort_unstable();
    probed
}

/// A probe, its answer, the next probe.
async fn one_by_one(client: &Client, length: Duration) -> Vec<(Duration, Duration)> {
    let begun = Instant::now();
    let mut probed = Vec::new();
    while begun.elapsed() < length {
        probed.push((begun.elapsed(), client.time(ASYNC).await));
    }
    probed
}

fn slow(probed: &[(Duration, Duration)]) -> f64 {
    probed.iter().filter(|probe| probe.1 > SLOW).count() as f64 / probed.len() as f64
}

/// All three at the same time, so that a busy machine is the same for all.
#[tokio::test]
async fn a_schedule_sees_every_stall_one_by_one_hardly_and_the_control_has_none() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let stalling = TestServer::start("coordinated-omission", &mock.url(), STALLING);
    let control = TestServer::start("none", &mock.url(), &[]);
    let (client, well) = (stalling.client(), control.client());
    let length = 3 * EVERY;
    let (seen, omitted, well) =
        tokio::join!(on_schedule(&client, length), one_by_one(&client, length), on_schedule(&well, length));

    let worst = seen.iter().map(|probe| probe.1).max().unwrap();
    assert!(worst >= STALL.mul_f64(0.7), "{worst:?}");
    // Two fifths of the time are stalls; a probe is slow that is due in the first half of one.
    let share = slow(&seen);
    assert!(share >= 0.08, "{share} of the probes were slow");
    assert!(share >= 2.0 * slow(&omitted), "{share} on schedule, {} one by one", slow(&omitted));
    assert!(omitted.iter().any(|probe| probe.1 > SLOW), "it is not that there was none");
    assert!(share >= 2.0 * slow(&well), "{share}, and {} in the control", slow(&well));
    // They come again, and do not grow into one.
    let slow_at: Vec<_> = seen.iter().filter(|probe| probe.1 > SLOW).map(|probe| probe.0).collect();
    let apart = slow_at.windows(2).filter(|pair| pair[1] - pair[0] > (EVERY - STALL) / 2).count();
    assert!(apart >= 1, "{slow_at:?}");
}

#[tokio::test]
async fn its_streams_are_those_of_the_control() {
    let mock = vendor(2, GAP / 20, GAP / 20).await;
    for (mistake, flags) in [("coordinated-omission", STALLING), ("none", &[])] {
        let server = TestServer::start(mistake, &mock.url(), flags);
        let response = server.client().chat().send().await.unwrap();
        assert_eq!(response.headers()["x-stream-method"], "async");
    }
}
