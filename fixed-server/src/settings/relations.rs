use std::time::Duration;

use super::limits::Limits;
use super::values::as_typed;

/// Two limits of which one can never be reached because of the other, or can never be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{inner} must be {relation} {outer}: {why}")]
pub struct LimitsError {
    /// A flag and its value.
    inner: String,
    relation: &'static str,
    /// Another flag and its value.
    outer: String,
    why: &'static str,
}

impl Limits {
    /// Checks the relations between the limits.
    ///
    /// # Errors
    /// [`LimitsError`], which names the two flags.
    pub fn check(&self) -> Result<(), LimitsError> {
        self.check_times()?;
        self.check_numbers()
    }

    /// queue < call < SLA, attempts within the SLA, and what must come before a stream's end.
    fn check_times(&self) -> Result<(), LimitsError> {
        let queue = ("--queue-timeout", self.queue_timeout);
        let call = ("--call-timeout", self.call_timeout);
        let sla = ("--sla", self.sla);
        let idle = ("--idle-timeout", self.idle_timeout);
        let total = ("--total-timeout", self.total_timeout);
        let less = LimitsError::unless_less;
        less(queue, call, "who waits longer for a turn than a turn takes had better be refused")?;
        less(call, sla, "else the SLA ends a call before its own limit can")?;
        less(idle, total, "else a silent stream ends by another limit than the one for silence")?;
        if let Some(early) = self.early_keep_alive.0 {
            let (early, first) = (("--early-keep-alive", early), ("--first-token-timeout", self.first_token_timeout));
            less(early, first, "else the first token has come, or never will, before it is of use")?;
        }
        let attempts = format!("--attempts ({}) of --min-attempt-time ({:?})", self.attempts, self.min_attempt_time);
        let all = self.min_attempt_time.saturating_mul(self.attempts);
        unless(all <= self.sla, attempts, "within", named(sla), "else the last ones can never be made")
    }

    fn check_numbers(&self) -> Result<(), LimitsError> {
        let bursts = [
            ("--rate-burst", self.rate_burst, "--rate-limit", self.rate_limit.0),
            ("--token-burst", self.token_burst, "--token-limit", self.token_limit.0),
        ];
        for (flag, burst, of, quota) in bursts {
            if let (Some(burst), Some(quota)) = (burst, quota) {
                let (inner, outer) = (format!("{flag} ({burst})"), format!("the amount of {of} ({quota})"));
                let why = "else a burst leaves nothing of the quota, and the next one exceeds it";
                unless((burst.get() as u64) < quota.amount(), inner, "less than", outer, why)?;
            }
        }
        let Some(of_a_user) = self.user_max_in_flight.0 else { return Ok(()) };
        let (running, waiting) = (self.max_in_flight, self.max_queued);
        let all = running.get().saturating_add(waiting);
        let (inner, outer) = (
            format!("--user-max-in-flight ({of_a_user})"),
            format!("--max-in-flight ({running}) and --max-queued ({waiting}) together"),
        );
        unless(of_a_user.get() <= all, inner, "at most", outer, "else one user can fill both, and is never refused")
    }
}

impl LimitsError {
    /// Checks that the `inner` limit, a flag and its value, can be reached before the `outer` one.
    pub(super) fn unless_less(
        inner: (&'static str, Duration),
        outer: (&'static str, Duration),
        why: &'static str,
    ) -> Result<(), Self> {
        unless(inner.1 < outer.1, named(inner), "less than", named(outer), why)
    }
}

fn named((flag, time): (&'static str, Duration)) -> String {
    format!("{flag} ({})", as_typed(time))
}

fn unless(
    good: bool,
    inner: String,
    relation: &'static str,
    outer: String,
    why: &'static str,
) -> Result<(), LimitsError> {
    if good { Ok(()) } else { Err(LimitsError { inner, relation, outer, why }) }
}
