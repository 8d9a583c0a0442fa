//! Tests of classes with a rate of their own, under a paused clock.

use std::sync::Mutex;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// `limited` has a call a second, `other` has no rate of its own.
fn admission(max_in_flight: usize, max_queued: usize) -> Admission {
    let max_in_flight = NonZeroUsize::new(max_in_flight).unwrap();
    let limits = AdmissionLimits { max_in_flight, max_queued, timeout: 5 * SECOND, requests: None, tokens: None };
    let one_a_second = ("1/1s".parse().unwrap(), NonZeroU64::MIN);
    Admission::with_classes(limits, [("limited".into(), one_a_second)])
}

type Order = Arc<Mutex<Vec<(&'static str, Duration)>>>;

/// A call of this class that takes `hold`; when it was admitted, since `begun`, is noted under its name.
fn call(
    admission: &Admission,
    order: &Order,
    begun: Instant,
    (class, name, hold): (&'static str, &'static str, Duration),
) -> JoinHandle<Result<(), AdmissionError>> {
    let (admission, order) = (admission.clone(), order.clone());
    tokio::spawn(async move {
        let permit = admission.admit_class(Some(class), 0).await?;
        order.lock().unwrap().push((name, begun.elapsed()));
        sleep(hold).await;
        drop(permit);
        Ok(())
    })
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_rate_of_a_class_holds_no_permit() {
    let admission = admission(1, 10);
    drop(admission.admit_class(Some("limited"), 0).await.unwrap());
    let (waiting, asked) = (admission.admit_class(Some("limited"), 0), Instant::now());
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(999 * MS, &mut waiting).await.is_err());
    assert_eq!((admission.load().held, admission.load().queued), (0, 1));
    let admitted = waiting.await.unwrap();
    assert_eq!(asked.elapsed(), SECOND);
    assert_eq!(admitted.queue_wait(), QueueWait { for_rate: SECOND, for_permit: Duration::ZERO });
}

#[tokio::test(start_paused = true)]
async fn classes_do_not_wait_for_the_rates_of_others() {
    let (admission, order, begun) = (admission(2, 10), Order::default(), Instant::now());
    let calls = [
        ("limited", "limited 1", MS),
        ("limited", "limited 2", MS),
        ("other", "other 1", 600 * MS),
        ("limited", "limited 3", MS),
        ("other", "other 2", 600 * MS),
        ("other", "other 3", 600 * MS),
        ("none", "none 1", MS),
    ];
    let mut tasks = Vec::new();
    for one in calls {
        tasks.push(call(&admission, &order, begun, one));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let expected = [
        ("limited 1", Duration::ZERO),
        ("other 1", Duration::ZERO),
        // Two permits: the next is free 1 ms later.
        ("other 2", MS),
        ("other 3", 600 * MS),
        ("none 1", 601 * MS),
        ("limited 2", SECOND),
        ("limited 3", 2 * SECOND),
    ];
    assert_eq!(*order.lock().unwrap(), expected, "in order of arrival within a class");
}

/// Once the rate of its class allows it, the caller that came first is first again.
#[tokio::test(start_paused = true)]
async fn who_came_first_goes_first_once_its_class_allows_it() {
    let (admission, order, begun) = (admission(1, 10), Order::default(), Instant::now());
    drop(admission.admit_class(Some("limited"), 0).await.unwrap());
    let _running = call(&admission, &order, begun, ("other", "running", 3 * SECOND));
    tokio::task::yield_now().await;
    let limited = call(&admission, &order, begun, ("limited", "limited", MS));
    tokio::task::yield_now().await;
    let other = call(&admission, &order, begun, ("other", "other", MS));
    limited.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    let expected = [("running", Duration::ZERO), ("limited", 3 * SECOND), ("other", 3 * SECOND + MS)];
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_predicted_for_each_class() {
    let (admission, order, begun) = (admission(1, 100), Order::default(), Instant::now());
    call(&admission, &order, begun, ("other", "first", 100 * MS)).await.unwrap().unwrap();
    // One runs, five wait for the rate of their class, and one more would wait for too long.
    let limited: Vec<_> = (0..6).map(|_| call(&admission, &order, begun, ("limited", "", 100 * MS))).collect();
    tokio::task::yield_now().await;
    let too_long = admission.admit_class(Some("limited"), 0).await.unwrap_err();
    assert_eq!(too_long, AdmissionError::WaitTooLong { predicted: 6 * SECOND });
    // A caller without a rate of its own waits for the permit alone, (1 + √1) × 100 ms, and not behind those five.
    assert_eq!(admission.load().predicted_wait, 200 * MS);
    for task in limited {
        assert_eq!(task.await.unwrap(), Ok(()), "whoever is queued is served");
    }
    assert_eq!(begun.elapsed(), 100 * MS + 5 * SECOND + 100 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_in_a_class_spends_none_of_its_rate() {
    let admission = admission(1, 10);
    let held = admission.admit(0).await.unwrap();
    assert!(matches!(admission.admit_class(Some("limited"), 0).await, Err(AdmissionError::QueueTimeout { .. })));
    drop(held);
    let asked = Instant::now();
    drop(admission.admit_class(Some("limited"), 0).await.unwrap());
    assert_eq!(asked.elapsed(), Duration::ZERO);
}
