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

/// So many calls of so long each, in a task each.
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
async fn a_full_queue_says_no_at_once() {
    let admission = Admission::new(limits(1, 0));
    let _admitted = admit(&admission).await.unwrap();
    let asked = Instant::now();
    assert_eq!(admit(&admission).await.unwrap_err(), AdmissionError::QueueFull { retry_after: 5 * SECOND });
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_when_told_finds_the_queue_served() {
    let admission = Admission::new(limits(4, 8));
    // One call teaches it how long a call takes.
    calls(&admission, SECOND, 1).remove(0).await.unwrap().unwrap();
    let calls = calls(&admission, SECOND, 12);
    tokio::task::yield_now().await;
    let Err(AdmissionError::QueueFull { retry_after }) = admit(&admission).await else { panic!("4 + 8 are full") };
    // Nine would be ahead or there, four at a time: 9 / 4 of a call, and 3 / 4 for luck.
    assert_eq!(retry_after, SECOND * (9 + 3) / 4);
    sleep(retry_after).await;
    assert_eq!(admission.load().queued, 0);
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_longer_than_the_queue_timeout_is_told_at_once() {
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
        assert_eq!(call.await.unwrap(), Ok(()), "whom it let into the queue it serves");
    }
}

/// Ten long calls, and then bursts of short ones. Of the first burst nobody can know that it is another kind
/// of calls; from the next on everybody has a turn.
#[tokio::test(start_paused = true)]
async fn when_calls_become_short_the_wait_for_long_ones_is_soon_forgotten() {
    let admission = Admission::new(limits(10, 100));
    for call in calls(&admission, 20 * SECOND, 10) {
        call.await.unwrap().unwrap();
    }
    let mut refused = Vec::new();
    for _ in 0..3 {
        let mut in_burst = 0;
        for call in calls(&admission, SECOND / 10, 25) {
            in_burst += usize::from(call.await.unwrap().is_err());
        }
        refused.push(in_burst);
    }
    assert_eq!(refused, [14, 0, 0]);
}

/// Three times as many as there is room for, of every kind of lengths. The permits are in use nearly all
/// the time, and few wait in vain: nobody, where all calls take as long.
#[tokio::test(start_paused = true)]
async fn under_overload_few_wait_in_vain_and_nothing_stands_idle() {
    const LIMIT: usize = 10;
    let constant = |_: &mut fastrand::Rng| SECOND;
    let any_length = |rng: &mut fastrand::Rng| SECOND.mul_f64(-(1.0 - rng.f64()).ln());
    let mixed = |rng: &mut fastrand::Rng| if rng.u8(..10) == 0 { 6 * SECOND } else { SECOND / 2 };
    // With the mean, and how many may wait in vain for each that is served.
    type Length = fn(&mut fastrand::Rng) -> Duration;
    let kinds: [(Length, f64, f64); 3] = [(constant, 1.0, 0.0), (any_length, 1.0, 0.2), (mixed, 1.05, 0.3)];
    for (length, mean, in_vain_max) in kinds {
        let mut rng = fastrand::Rng::with_seed(7);
        let admission = Admission::new(limits(LIMIT, 1000));
        let (mut running, begun) = (Vec::new(), Instant::now());
        while begun.elapsed() < 300 * SECOND {
            running.extend(calls(&admission, length(&mut rng), 1));
            sleep(SECOND.mul_f64(-(1.0 - rng.f64()).ln() / (3 * LIMIT) as f64)).await;
        }
        let (mut served, mut in_vain) = (0.0, 0.0);
        for call in running {
            match call.await.unwrap() {
                Ok(()) => served += 1.0,
                Err(AdmissionError::QueueTimeout { .. }) => in_vain += 1.0,
                Err(_) => {}
            }
        }
        let capacity = 300.0 * LIMIT as f64 / mean;
        assert!(served >= 0.9 * capacity, "{served} served, of {capacity} that could be");
        assert!(in_vain <= in_vain_max * served, "{in_vain} waited in vain, {served} were served");
    }
}

/// A limit whose wait is known to the nanosecond is not left to a queue timeout.
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
async fn who_gets_no_permit_has_spent_no_rate_and_who_waits_for_the_rate_holds_no_permit() {
    let rates = AdmissionLimits { requests: rate("1/1s", 1), tokens: rate("100/1s", 100), ..limits(1, 10) };
    let admission = Admission::new(rates);
    let held = admission.admit(100).await.unwrap();
    sleep(SECOND).await;
    assert!(matches!(admission.admit(100).await, Err(AdmissionError::QueueTimeout { .. })));
    drop(held);
    drop(admission.admit(100).await.expect("the rate is as it was"));
    let (waiting, asked) = (admission.admit(1), Instant::now());
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(999 * MS, &mut waiting).await.is_err());
    assert_eq!(admission.load().held, 0);
    let admitted = waiting.await.unwrap();
    assert_eq!(asked.elapsed(), SECOND);
    assert_eq!(admitted.queue_wait(), QueueWait { for_rate: SECOND, for_permit: Duration::ZERO });
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_put_down_to_what_it_was_for() {
    let admission = Admission::new(AdmissionLimits { requests: rate("1/1s", 1), ..limits(1, 10) });
    let _running = calls(&admission, 3 * SECOND, 1);
    tokio::task::yield_now().await;
    let admitted = admit(&admission).await.unwrap();
    assert_eq!(admitted.queue_wait(), QueueWait { for_rate: SECOND, for_permit: 2 * SECOND });
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_rate_that_there_is_not() {
    let admission = Admission::new(limits(1, 10));
    let _running = calls(&admission, 3 * SECOND, 1);
    tokio::task::yield_now().await;
    let admitted = admit(&admission).await.unwrap();
    assert_eq!(admitted.queue_wait(), QueueWait { for_rate: Duration::ZERO, for_permit: 3 * SECOND });
}

#[tokio::test(start_paused = true)]
async fn what_was_reserved_and_not_used_lets_the_next_one_in_early() {
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
    // What was used and not reserved is owed, and the next one waits for it.
    let mut second = admission.admit(0).await.unwrap();
    second.settle(300);
    drop(second);
    let asked = Instant::now();
    drop(admission.admit(0).await.unwrap());
    assert_eq!(asked.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn more_tokens_than_ever_come_at_once_are_refused_and_not_kept_waiting() {
    let admission = Admission::new(AdmissionLimits { tokens: rate("100/1s", 1000), ..limits(10, 10) });
    let error = ExceedsBurst { cost: 1001, burst: 1000 };
    assert_eq!(admission.admit(1001).await.unwrap_err(), AdmissionError::ExceedsBurst(error));
}

#[tokio::test(start_paused = true)]
async fn callers_are_admitted_in_the_order_in_which_they_came() {
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
fn no_queue_is_a_queue_that_is_full_as_soon_as_no_permit_is_free() {
    let load = |held, queued, max_queued, predicted_wait| {
        Load { held, limit: 2, queued, max_queued, predicted_wait, timeout: 5 * SECOND }.queue_utilization()
    };
    assert_eq!([load(1, 0, 0, SECOND), load(2, 0, 0, SECOND)], [0.0, 1.0]);
    assert_eq!([load(2, 0, 4, SECOND), load(2, 3, 4, SECOND)], [0.0, 0.75]);
    assert_eq!(load(2, 1, 100, 4 * SECOND), 0.8, "few wait, but for as long as anybody may");
}
