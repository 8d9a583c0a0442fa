//! How many requests a load asks for at one instant.

use crate::measure::StreamLog;

/// How many requests of `log` its load asks for now: as many as it has virtual users, which replace a request that has
/// ended, or else those without an answer. With `includes_lost`, streams that were lost are still asked for, so that
/// they are seen to be missing.
#[must_use]
pub fn asked(log: &StreamLog, users: u64, includes_lost: bool) -> u64 {
    match users {
        0 if includes_lost => log.active() + log.lost(),
        0 => log.active(),
        users => users.max(log.active()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::measure::{StreamEnd, StreamGuard};

    #[test]
    fn what_has_ended_well_is_no_longer_asked_for() {
        let log = Arc::new(StreamLog::default());
        let mut streams: Vec<_> = (0..5).map(|_| StreamGuard::begin(&log, Instant::now())).collect();
        let ends = [StreamEnd::Completed, StreamEnd::Truncated, StreamEnd::Failed("broke off")];
        ends.into_iter().zip(streams.drain(..3)).for_each(|(end, stream)| _ = stream.end(end));
        assert_eq!((asked(&log, 0, false), asked(&log, 0, true)), (2, 4));
        assert_eq!((asked(&log, 7, true), asked(&log, 1, false)), (7, 2), "users replace what has ended");
    }
}
