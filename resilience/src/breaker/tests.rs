//! Tests of the breaker under a paused clock.

use std::num::NonZeroU32;

use tokio::time::advance;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Opens after three failures in a row, for ten seconds.
fn breaker() -> Breaker {
    Breaker::new(NonZeroU32::new(3).unwrap(), 10 * SECOND).unwrap()
}

fn fail(breaker: &Breaker, times: usize) {
    (0..times).for_each(|_| breaker.try_enter().unwrap().failure());
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_failures_in_a_row_and_a_success_resets_them() {
    let breaker = breaker();
    fail(&breaker, 2);
    breaker.try_enter().unwrap().success();
    fail(&breaker, 2);
    assert_eq!(breaker.report().state, BreakerState::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.try_enter().unwrap_err(), BreakerOpen { retry_after: 10 * SECOND });
    assert_eq!(breaker.report(), BreakerReport { state: BreakerState::Open, opened: 1, rejected: 1 });
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_closes_or_reopens_it() {
    let breaker = breaker();
    fail(&breaker, 3);
    advance(10 * SECOND).await;
    assert_eq!(breaker.report().state, BreakerState::HalfOpen);
    let probe = breaker.try_enter().unwrap();
    assert_eq!(breaker.try_enter().unwrap_err(), BreakerOpen { retry_after: Duration::ZERO });
    probe.failure();
    assert_eq!(breaker.try_enter().unwrap_err(), BreakerOpen { retry_after: 10 * SECOND });
    advance(10 * SECOND).await;
    breaker.try_enter().unwrap().success();
    assert_eq!(breaker.report().state, BreakerState::Closed);
    fail(&breaker, 2);
    assert_eq!(breaker.report().state, BreakerState::Closed, "failures from before it opened are forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_decides_nothing_and_allows_the_next() {
    let breaker = breaker();
    fail(&breaker, 3);
    advance(10 * SECOND).await;
    for _ in 0..3 {
        drop(breaker.try_enter().unwrap());
    }
    assert_eq!(breaker.report().state, BreakerState::HalfOpen);
    breaker.try_enter().unwrap().success();
    assert_eq!(breaker.report().state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_from_before_it_opened_does_not_count() {
    let breaker = breaker();
    let [good, bad] = [(); 2].map(|()| breaker.try_enter().unwrap());
    fail(&breaker, 3);
    good.success();
    assert_eq!(breaker.report().state, BreakerState::Open);
    advance(10 * SECOND).await;
    let probe = breaker.try_enter().unwrap();
    bad.failure();
    assert_eq!(breaker.report().state, BreakerState::HalfOpen);
    probe.success();
    assert_eq!(breaker.report().state, BreakerState::Closed);
}

#[test]
fn a_setting_out_of_range_is_named_in_the_error() {
    let error = Breaker::new(NonZeroU32::MIN, Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "open_for is 0ns, expected over 0s, up to 1h");
}
