//! How many connections there are descriptors for.

use std::num::NonZeroUsize;

use crate::settings::Settings;

/// Descriptors beside those of connections: the listener, the log, the event loop, files that are read.
const RESERVE: usize = 64;

/// SQLite has three files open for a connection, PostgreSQL one socket.
const A_DATABASE_CONNECTION: usize = 3;

/// Connections of clients that are accepted at once: as many as `--max-connections`, or fewer where the
/// process has not the descriptors for them, of which it warns.
///
/// Each client may have one call under way, and that call a connection to the vendor. A server that accepted
/// clients down to the last descriptor would have none left for the vendor, and fail each of their calls. One
/// too many waits to be accepted instead, and costs nothing.
pub(crate) fn connections_max(settings: &Settings) -> NonZeroUsize {
    let limits = &settings.limits;
    let (asked, calls) = (limits.max_connections.get(), limits.call.max_in_flight.get());
    let reserve = RESERVE + A_DATABASE_CONNECTION * settings.database.database_pool_size as usize;
    let available = available().saturating_sub(reserve);
    let max = asked.min(affordable(available, calls));
    if max < asked {
        tracing::warn!(
            needed = (reserve + asked).saturating_add(asked.min(calls)),
            available = available + reserve,
            accepted = max,
            "there are too few file descriptors for --max-connections {asked} and the calls of as many clients: \
             {max} are accepted at once; raise the limit (ulimit -n) or lower --max-connections"
        );
    }
    NonZeroUsize::new(max).unwrap_or(NonZeroUsize::MIN)
}

/// How many clients can be served with so many descriptors, when each has a call, but all together no more
/// than `calls`.
fn affordable(descriptors: usize, calls: usize) -> usize {
    (descriptors / 2).max(descriptors.saturating_sub(calls))
}

/// Descriptors that this process may have.
fn available() -> usize {
    let soft = rlimit::Resource::NOFILE.get_soft();
    // Where it cannot be read, it is as the settings say.
    soft.ok().and_then(|soft| soft.try_into().ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_a_descriptor_for_its_call_and_no_more_calls_than_there_may_be() {
        for (descriptors, calls, clients) in [(0, 5, 0), (100, 1000, 50), (100, 50, 50), (100, 10, 90), (101, 1000, 50)]
        {
            assert_eq!(affordable(descriptors, calls), clients, "{descriptors} descriptors, {calls} calls");
            assert!(clients + clients.min(calls) <= descriptors);
        }
    }
}
