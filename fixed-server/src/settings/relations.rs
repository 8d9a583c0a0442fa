//! The relations between the limits.

use resilience::LimitConflict;

use super::limits::Limits;

impl Limits {
    /// Checks the relations between the limits.
    ///
    /// # Errors
    /// [`LimitConflict`], which names the two flags.
    pub fn check(&self) -> Result<(), LimitConflict> {
        self.check_times()?;
        self.check_bodies()?;
        self.check_numbers()
    }

    /// queue < call < SLA, attempts within the SLA, and what must come before a stream's end.
    fn check_times(&self) -> Result<(), LimitConflict> {
        let queue = ("--queue-timeout", self.queue_timeout);
        let call = ("--call-timeout", self.call_timeout);
        let sla = ("--sla", self.sla);
        let idle = ("--idle-timeout", self.idle_timeout);
        let total = ("--total-timeout", self.total_timeout);
        let less = LimitConflict::require_less;
        less(queue, call, "who waits longer for a turn than a turn takes had better be refused")?;
        less(call, sla, "else the SLA ends a call before its own limit can")?;
        less(idle, total, "else a silent stream ends by another limit than the one for silence")?;
        if let Some(early) = self.early_keep_alive.0 {
            let (early, first) = (("--early-keep-alive", early), ("--first-token-timeout", self.first_token_timeout));
            less(early, first, "else the first token has come, or never will, before it is of use")?;
        }
        let (attempts, each) = (("--attempts", self.attempts), ("--min-attempt-time", self.min_attempt_time));
        LimitConflict::require_attempts_fit(attempts, each, sla)
    }

    /// Room for one body at least.
    fn check_bodies(&self) -> Result<(), LimitConflict> {
        let one = format!("--max-body-bytes ({})", self.max_body_bytes);
        let why = "else the largest body that is allowed never finds room";
        let mut rooms = vec![("--max-body-memory", self.max_body_memory)];
        rooms.extend(self.user_max_body_memory.0.map(|bytes| ("--user-max-body-memory", bytes)));
        rooms.into_iter().try_for_each(|(flag, room)| {
            let fits = self.max_body_bytes.0 <= room.0;
            LimitConflict::require(fits, one.clone(), "at most", format!("{flag} ({room})"), why)
        })
    }

    fn check_numbers(&self) -> Result<(), LimitConflict> {
        let bursts = [
            ("--rate-burst", self.rate_burst, "--rate-limit", self.rate_limit.0),
            ("--token-burst", self.token_burst, "--token-limit", self.token_limit.0),
        ];
        for (flag, burst, of, quota) in bursts {
            if let (Some(burst), Some(quota)) = (burst, quota) {
                let (inner, outer) = (format!("{flag} ({burst})"), format!("the amount of {of} ({quota})"));
                let why = "else a burst leaves nothing of the quota, and the next one exceeds it";
                LimitConflict::require((burst.get() as u64) < quota.amount(), inner, "less than", outer, why)?;
            }
        }
        let Some(of_a_user) = self.user_max_in_flight.0 else { return Ok(()) };
        let (running, waiting) = (self.max_in_flight, self.max_queued);
        let all = running.get().saturating_add(waiting);
        let (inner, outer) = (
            format!("--user-max-in-flight ({of_a_user})"),
            format!("--max-in-flight ({running}) and --max-queued ({waiting}) together"),
        );
        let why = "else one user can fill both, and is never refused";
        LimitConflict::require(of_a_user.get() <= all, inner, "at most", outer, why)
    }
}
