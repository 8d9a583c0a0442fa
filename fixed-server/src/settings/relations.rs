//! The relations between the limits.

use resilience::LimitConflict;

use super::limits::Limits;

impl Limits {
    /// Checks the relations between the limits.
    ///
    /// # Errors
    /// [`LimitConflict`], which names the two flags.
    pub fn check(&self) -> Result<(), LimitConflict> {
        self.call.check()?;
        self.quota.check()?;
        self.token_quota.check()?;
        self.check_times()?;
        self.check_bodies()?;
        self.users.check(&self.call)
    }

    /// The limits of a stream can each be reached.
    fn check_times(&self) -> Result<(), LimitConflict> {
        let idle = ("--idle-timeout", self.upstream.idle_timeout);
        let total = ("--total-timeout", self.total_timeout);
        let less = LimitConflict::require_less;
        less(idle, total, "otherwise the total timeout ends a silent stream before the idle timeout can")?;
        let Some(early) = self.early_keep_alive.0 else { return Ok(()) };
        let first_token = ("--first-token-timeout", self.upstream.first_token_timeout);
        less(
            ("--early-keep-alive", early),
            first_token,
            "otherwise the first token arrives, or never will, before it helps",
        )
    }

    /// The memory has room for at least one body.
    fn check_bodies(&self) -> Result<(), LimitConflict> {
        let one = format!("--max-body-bytes ({})", self.max_body_bytes);
        let why = "otherwise the largest body that is allowed never fits";
        let mut rooms = vec![("--max-body-memory", self.max_body_memory)];
        rooms.extend(self.user_max_body_memory.0.map(|bytes| ("--user-max-body-memory", bytes)));
        rooms.into_iter().try_for_each(|(flag, room)| {
            let fits = self.max_body_bytes.0 <= room.0;
            LimitConflict::require(fits, one.clone(), "at most", format!("{flag} ({room})"), why)
        })
    }
}
