//! Enforces the quotas: requests and tokens per interval, requests in flight.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::quota::{SlidingWindow, WindowStatus, short};
use crate::settings::Quotas;

/// Admits requests as far as the quotas allow.
#[derive(Debug)]
pub(crate) struct QuotaEnforcer {
    quotas: Quotas,
    /// One lock for all three, so that a request that one of them rejects uses none of the others.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    requests: Option<SlidingWindow>,
    tokens: Option<SlidingWindow>,
    in_flight: u32,
}

/// Counts a request as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlightGuard(Arc<QuotaEnforcer>);

/// How much of each quota is left, for the `x-ratelimit-*` headers. Empty without quotas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RateLimitStatus {
    pub(crate) requests: Option<WindowStatus>,
    pub(crate) tokens: Option<WindowStatus>,
}

/// A request rejected by a quota.
#[derive(Debug, thiserror::Error)]
#[error("Rate limit reached on {what}: limit {limit}, requested {requested}.{}", self.advice())]
pub(crate) struct OverQuota {
    /// The quota that rejected it: `requests`, `tokens` or `requests in flight`.
    pub(crate) what: &'static str,
    limit: u64,
    requested: u64,
    /// Time until it would be admitted; `None` if it exceeds the limit on its own.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) status: RateLimitStatus,
}

/// `Retry-After` when too many requests are in flight: nobody knows when one of them ends.
const IN_FLIGHT_RETRY: Duration = Duration::from_secs(1);

impl QuotaEnforcer {
    pub(crate) fn new(quotas: Quotas) -> Arc<Self> {
        Arc::new(QuotaEnforcer { state: Mutex::new(State::new(&quotas)), quotas })
    }

    /// Admits a request of `tokens` tokens, prompt and answer together. Returns what is left of the quotas after it.
    pub(crate) fn admit(self: &Arc<Self>, tokens: u64) -> Result<(InFlightGuard, RateLimitStatus), OverQuota> {
        let mut state = self.lock();
        // The time is read under the lock, so that admissions are in order of time.
        let status = state.admit(&self.quotas, Instant::now(), tokens)?;
        Ok((InFlightGuard(Arc::clone(self)), status))
    }

    /// Empties the windows. Requests in flight stay counted.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        *state = State { in_flight: state.in_flight, ..State::new(&self.quotas) };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(quotas: &Quotas) -> Self {
        State {
            requests: quotas.requests.map(SlidingWindow::new),
            tokens: quotas.tokens.map(SlidingWindow::new),
            in_flight: 0,
        }
    }

    fn admit(&mut self, quotas: &Quotas, now: Instant, tokens: u64) -> Result<RateLimitStatus, OverQuota> {
        self.check(quotas, now, tokens)?;
        if let Some(window) = &mut self.requests {
            window.record(now, 1);
        }
        if let Some(window) = &mut self.tokens {
            window.record(now, tokens);
        }
        self.in_flight += 1;
        Ok(self.status(now))
    }

    /// # Errors
    /// The first quota that is used up.
    fn check(&mut self, quotas: &Quotas, now: Instant, tokens: u64) -> Result<(), OverQuota> {
        if let Some(limit) = quotas.in_flight.filter(|limit| self.in_flight >= *limit) {
            let requested = u64::from(self.in_flight) + 1;
            return Err(self.over("requests in flight", limit.into(), requested, Some(IN_FLIGHT_RETRY), now));
        }
        if let (Some(quota), Some(window)) = (quotas.requests, &mut self.requests) {
            let wait = window.wait_for(now, 1);
            if wait != Some(Duration::ZERO) {
                return Err(self.over("requests", quota.limit, 1, wait, now));
            }
        }
        if let (Some(quota), Some(window)) = (quotas.tokens, &mut self.tokens) {
            let wait = window.wait_for(now, tokens);
            if wait != Some(Duration::ZERO) {
                return Err(self.over("tokens", quota.limit, tokens, wait, now));
            }
        }
        Ok(())
    }

    fn over(
        &mut self,
        what: &'static str,
        limit: u64,
        requested: u64,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> OverQuota {
        OverQuota { what, limit, requested, retry_after, status: self.status(now) }
    }

    fn status(&mut self, now: Instant) -> RateLimitStatus {
        let status = |window: &mut Option<SlidingWindow>| window.as_mut().map(|window| window.status(now));
        RateLimitStatus { requests: status(&mut self.requests), tokens: status(&mut self.tokens) }
    }
}

impl OverQuota {
    fn advice(&self) -> String {
        match self.retry_after {
            Some(wait) => format!(" Please try again in {}.", short(wait)),
            None => " The request exceeds the limit by itself; do not retry it.".to_owned(),
        }
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::quota::Quota;

    const INTERVAL: Duration = Duration::from_millis(100);

    fn quotas(requests: u64, tokens: u64) -> Quotas {
        let quota = |limit| Some(Quota { limit, interval: INTERVAL });
        Quotas { requests: quota(requests), tokens: quota(tokens), in_flight: None }
    }

    /// The specification of the windows: look at everything that was ever admitted.
    fn naive_admits(
        admitted: &[(Instant, u64)],
        now: Instant,
        tokens: u64,
        requests_max: u64,
        tokens_max: u64,
    ) -> bool {
        let recent = || admitted.iter().filter(|(at, _)| *at + INTERVAL > now);
        (recent().count() as u64) < requests_max && recent().map(|(_, cost)| cost).sum::<u64>() + tokens <= tokens_max
    }

    proptest! {
        #[test]
        fn quotas_admit_the_same_requests_as_a_naive_model(
            requests_max in 1_u64..8,
            tokens_max in 1_u64..40,
            arrivals in prop::collection::vec((0_u64..60, 1_u64..20), 1..120),
        ) {
            let quotas = quotas(requests_max, tokens_max);
            let mut state = State::new(&quotas);
            let mut now = Instant::now();
            let mut admitted = Vec::new();
            for (gap, tokens) in arrivals {
                now += Duration::from_millis(gap);
                let expected = naive_admits(&admitted, now, tokens, requests_max, tokens_max);
                match state.admit(&quotas, now, tokens) {
                    Ok(status) => {
                        prop_assert!(expected);
                        admitted.push((now, tokens));
                        prop_assert!(status.tokens.unwrap().remaining < tokens_max);
                    }
                    Err(over) => {
                        prop_assert!(!expected);
                        // `Retry-After` is exact: not a nanosecond earlier, unless it can never be admitted.
                        match over.retry_after {
                            None => prop_assert!(tokens > tokens_max),
                            Some(wait) if over.what == "tokens" => {
                                let early = now + wait - Duration::from_nanos(1);
                                prop_assert!(!naive_admits(&admitted, early, tokens, u64::MAX, tokens_max));
                                prop_assert!(naive_admits(&admitted, now + wait, tokens, u64::MAX, tokens_max));
                            }
                            Some(wait) => {
                                prop_assert!(naive_admits(&admitted, now + wait, 0, requests_max, u64::MAX));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_request_rejected_by_one_quota_uses_none_of_the_others() {
        let hour = Duration::from_secs(3_600);
        let quota = |limit| Some(Quota { limit, interval: hour });
        let enforcer = QuotaEnforcer::new(Quotas { requests: quota(2), tokens: quota(10), in_flight: None });
        assert!(enforcer.admit(8).is_ok());
        assert_eq!(enforcer.admit(5).unwrap_err().what, "tokens");
        assert!(enforcer.admit(2).is_ok());
        assert_eq!(enforcer.admit(1).unwrap_err().what, "requests");
    }

    #[test]
    fn dropping_the_guard_frees_its_place_in_flight() {
        let enforcer = QuotaEnforcer::new(Quotas { in_flight: Some(1), ..Quotas::default() });
        let (guard, status) = enforcer.admit(1).unwrap();
        assert_eq!(status, RateLimitStatus::default());
        assert_eq!(enforcer.admit(1).unwrap_err().what, "requests in flight");
        drop(guard);
        assert!(enforcer.admit(1).is_ok());
    }
}
