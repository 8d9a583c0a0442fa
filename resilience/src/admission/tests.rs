//! Tests of admission under a paused clock.

use std::sync::Mutex;

use tokio::time::sleep;

use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn limits(max_in_flight: usize, max_queued: usize) -> AdmissionLimits {
    let max_in_flight = NonZeroUsize::new(max_in_flight).unwrap();
    AdmissionLimits { max_in_flight, max_queued, timeout: 5 * SECOND, requests: None, tokens: None }
}

fn rate(rate: &str, burst: u64) -> Option<(Rate, NonZeroU64)> {
    Some((rate.parse().unwrap(), NonZeroU64::new(burst).unwrap()))
}

async fn admit(admission: &Admission) -> Result<AdmissionPermit, AdmissionError> {
    admission.admit(0).await
}

/// `count` calls of `hold` each, each in its own task.
fn calls(
    admission: &Admission,
    hold: Duration,
    count: usize,
) -> Vec<tokio::task::JoinHandle<Result<(), AdmissionError>>> {
    let call = |admission: Admission| async move {
        let admitted = admit(&admission).await?;
        sleep(hold).await;
        drop(admitted);
        Ok(())
    };
    (0..count).map(|_| tokio::spawn(call(admission.clone()))).collect()
}

#[tokio::test(start_paused = true)]
async fn the_queue_timeout_covers_the_wait_and_not_the_call() {
    let admission = Admission::new(limits(1, 1));
    let admitted = admit(&admission).await.unwrap();
    sleep(60 * SECOND).await;
    assert_eq!(admit(&admission).await.unwrap_err(), AdmissionError::QueueTimeout { waited: 5 * SECOND });
    assert_eq!((admission.load().held, admission.load().queued), (1, 0));
    drop(admitted);
    assert!(admit(&admission).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_rejects_at_once() {
    let admission = Admission::new(limits(1, 0));
    let _admitted = admit(&admission).await.unwrap();
    let asked = Instant::now();
    assert_eq!(admit(&admission).await.unwrap_err(), AdmissionError::QueueFull { retry_after: 5 * SECOND });
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn by_retry_after_the_queue_has_been_served() {
    let admission = Admission::new(limits(4, 8));
    // One call shows how long a call takes.
    calls(&admission, SECOND, 1).remove(0).await.unwrap().unwrap();
    let calls = calls(&admission, SECOND, 12);
    tokio::task::yield_now().await;
    let Err(AdmissionError::QueueFull { retry_after }) = admit(&admission).await else { panic!("4 + 8 are full") };
    // The ninth in the queue, four permits: (9 + √9) / 4 calls.
    assert_eq!(retry_after, SECOND * (9 + 3) / 4);
    sleep(retry_after).await;
    assert_eq!(admission.load().queued, 0);
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_predicted_over_the_timeout_is_rejected_at_once() {
    let admission = Admission::new(limits(2, 100));
    calls(&admission, SECOND, 1).remove(0).await.unwrap().unwrap();
    let running = calls(&admission, SECOND, 2 + 7);
    tokio::task::yield_now().await;
    // The eighth in the queue: (8 + 2.8) / 2 calls. The seventh had (7 + 2.6) / 2.
    let asked = Instant::now();
    let Err(AdmissionError::WaitTooLong { predicted }) = admit(&admission).await else {
        panic!("{:?}", admission.load())
    };
    assert!(predicted > 5 * SECOND && predicted < 6 * SECOND, "{predicted:?}");
    assert_eq!(asked.elapsed(), Duration::ZERO);
    for call in running {
        assert_eq!(call.await.unwrap(), Ok(()), "whoever is queued is served");
    }
}

/// Ten long calls, then bursts of short ones. That calls have become short cannot be known during the first burst;
/// from the next one on, everybody is admitted.
#[tokio::test(start_paused = true)]
async fn the_predicted_wait_follows_when_calls_become_short() {
    let admission = Admission::new(limits(10, 100));
    for call in calls(&admission, 20 * SECOND, 10) {
        call.await.unwrap().unwrap();
    }
    let mut rejected = Vec::new();
    for _ in 0..3 {
        let mut in_burst = 0;
        for call in calls(&admission, SECOND / 10, 25) {
            in_burst += usize::from(call.await.unwrap().is_err());
        }
        rejected.push(in_burst);
    }
    assert_eq!(rejected, [14, 0, 0]);
}

/// Three times the capacity, with three distributions of lengths. The permits are in use nearly all the time, and few
/// callers time out: none where all calls take equally long.
#[tokio::test(start_paused = true)]
async fn under_overload_permits_are_in_use_and_few_time_out() {
    const LIMIT: usize = 10;
    let constant = |_: &mut fastrand::Rng| SECOND;
    let any_length = |rng: &mut fastrand::Rng| SECOND.mul_f64(-(1.0 - rng.f64()).ln());
    let mixed = |rng: &mut fastrand::Rng| if rng.u8(..10) == 0 { 6 * SECOND } else { SECOND / 2 };
    // With the mean length, and how many may time out for each one served.
    type Length = fn(&mut fastrand::Rng) -> Duration;
    let kinds: [(Length, f64, f64); 3] = [(constant, 1.0, 0.0), (any_length, 1.0, 0.2), (mixed, 1.05, 0.3)];
    for (length, mean, timed_out_max) in kinds {
        let mut rng = fastrand::Rng::with_seed(7);
        let admission = Admission::new(limits(LIMIT, 1000));
        let (mut running, begun) = (Vec::new(), Instant::now());
        while begun.elapsed() < 300 * SECOND {
            running.extend(calls(&admission, length(&mut rng), 1));
            sleep(SECOND.mul_f64(-(1.0 - rng.f64()).ln() / (3 * LIMIT) as f64)).await;
        }
        let (mut served, mut timed_out) = (0.0, 0.0);
        for call in running {
            match call.await.unwrap() {
                Ok(()) => served += 1.0,
                Err(AdmissionError::QueueTimeout { .. }) => timed_out += 1.0,
                Err(_) => {}
            }
        }
        let capacity = 300.0 * LIMIT as f64 / mean;
        assert!(served >= 0.9 * capacity, "{served} served of {capacity} possible");
        assert!(timed_out <= timed_out_max * served, "{timed_out} timed out, {served} were served");
    }
}

/// A wait that is known exactly is not left to the queue timeout.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_rate_is_predicted_exactly() {
    let admission = Admission::new(AdmissionLimits { requests: rate("1/1s", 1), ..limits(100, 100) });
    let begun = Instant::now();
    let waiting = calls(&admission, Duration::ZERO, 1 + 5);
    tokio::task::yield_now().await;
    assert_eq!(admit(&admission).await.unwrap_err(), AdmissionError::WaitTooLong { predicted: 6 * SECOND });
    for call in waiting {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    assert_eq!(begun.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_spends_no_rate_and_a_wait_for_the_rate_no_permit() {
    let rates = AdmissionLimits { requests: rate("1/1s", 1), tokens: rate("100/1s", 100), ..limits(1, 10) };
    let admission = Admission::new(rates);
    let held = admission.admit(100).await.unwrap();
    sleep(SECOND).await;
    assert!(matches!(admission.admit(100).await, Err(AdmissionError::QueueTimeout { .. })));
    drop(held);
    drop(admission.admit(100).await.expect("the rate is unspent"));
    let (waiting, asked) = (admission.admit(1), Instant::now());
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(999 * MS, &mut waiting).await.is_err());
    assert_eq!(admission.load().held, 0);
    let admitted = waiting.await.unwrap();
    assert_eq!(asked.elapsed(), SECOND);
    assert_eq!(admitted.queue_wait(), QueueWait { for_rate: SECOND, for_permit: Duration::ZERO });
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_split_into_rate_and_permit() {
    let admission = Admission::new(AdmissionLimits { requests: rate("1/1s", 1), ..limits(1, 10) });
    let _running = calls(&admission, 3 * SECOND, 1);
    tokio::task::yield_now().await;
    let admitted = admit(&admission).await.unwrap();
    assert_eq!(admitted.queue_wait(), QueueWait { for_rate: SECOND, for_permit: 2 * SECOND });
}

#[tokio::test(start_paused = true)]
async fn without_a_rate_the_whole_wait_is_for_the_permit() {
    let admission = Admission::new(limits(1, 10));
    let _running = calls(&admission, 3 * SECOND, 1);
    tokio::task::yield_now().await;
    let admitted = admit(&admission).await.unwrap();
    assert_eq!(admitted.queue_wait(), QueueWait { for_rate: Duration::ZERO, for_permit: 3 * SECOND });
}

#[tokio::test(start_paused = true)]
async fn unused_tokens_admit_the_next_caller_early() {
    let admission = Admission::new(AdmissionLimits { tokens: rate("100/1s", 1000), ..limits(10, 10) });
    let mut first = admission.admit(1000).await.unwrap();
    let waiting = tokio::spawn({
        let admission = admission.clone();
        async move { admission.admit(500).await.map(|_| Instant::now()) }
    });
    sleep(SECOND).await;
    first.settle(600);
    let settled = Instant::now();
    drop(first);
    assert_eq!(waiting.await.unwrap().unwrap(), settled, "100 refilled and 400 refunded are there");
    // Tokens used and not reserved are owed: the next caller waits for them.
    let mut second = admission.admit(0).await.unwrap();
    second.settle(300);
    drop(second);
    let asked = Instant::now();
    drop(admission.admit(0).await.unwrap());
    assert_eq!(asked.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn more_tokens_than_the_burst_are_rejected_at_once() {
    let admission = Admission::new(AdmissionLimits { tokens: rate("100/1s", 1000), ..limits(10, 10) });
    let error = ExceedsBurst { cost: 1001, burst: 1000 };
    assert_eq!(admission.admit(1001).await.unwrap_err(), AdmissionError::ExceedsBurst(error));
}

#[tokio::test(start_paused = true)]
async fn callers_are_admitted_in_order_of_arrival() {
    let admission = Admission::new(AdmissionLimits { tokens: rate("100/1s", 100), ..limits(1, 10) });
    let running = admission.admit(100).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let admit = |name: &'static str, tokens| {
        let (admission, order) = (admission.clone(), order.clone());
        tokio::spawn(async move {
            let _admitted = admission.admit(tokens).await.unwrap();
            order.lock().unwrap().push(name);
        })
    };
    let tasks = [admit("large", 100), admit("small", 1), admit("free", 0)];
    tokio::task::yield_now().await;
    drop(running);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["large", "small", "free"]);
}

#[test]
fn without_a_queue_utilization_is_1_when_no_permit_is_free() {
    let load = |held, queued, max_queued, predicted_wait| {
        Load { held, limit: 2, queued, max_queued, predicted_wait, timeout: 5 * SECOND }.queue_utilization()
    };
    assert_eq!([load(1, 0, 0, SECOND), load(2, 0, 0, SECOND)], [0.0, 1.0]);
    assert_eq!([load(2, 0, 4, SECOND), load(2, 3, 4, SECOND)], [0.0, 0.75]);
    assert_eq!(load(2, 1, 100, 4 * SECOND), 0.8, "few wait, but nearly as long as allowed");
}
