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
        self.check_connections()?;
        self.check_bodies()?;
        self.users.check(&self.call)
    }

    /// The limits of a stream can each be reached.
    fn check_times(&self) -> Result<(), LimitConflict> {
        let idle = ("--idle-timeout", self.upstream.idle_timeout);
        let total = ("--total-timeout", self.total_timeout);
        let less = LimitConflict::require_less;
        less(idle, total, "otherwise the total timeout ends a silent stream before the idle timeout can")?;
        self.early_keep_alive.check(self.upstream.first_token_timeout)
    }

    /// The keep-alive timeout, which runs from the start for each head, does not end the first one early.
    fn check_connections(&self) -> Result<(), LimitConflict> {
        let (read, kept) = (self.read_timeout, self.keep_alive_timeout);
        let (read_flag, kept_flag) = (format!("--read-timeout ({read:?})"), format!("--keep-alive-timeout ({kept:?})"));
        let why = "otherwise a new connection is closed before its first request is late";
        LimitConflict::require(read <= kept, read_flag, "at most", kept_flag, why)
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
