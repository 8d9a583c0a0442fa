//! How many connections the file descriptors allow.

use std::num::NonZeroUsize;

use crate::settings::Settings;

/// Descriptors for everything else: the listener, the log, the event loop, files that are read.
const RESERVE: usize = 64;

/// SQLite opens three files for a connection, PostgreSQL one socket.
const A_DATABASE_CONNECTION: usize = 3;

/// Connections of clients to accept at once: `--max-connections`, or fewer, with a warning, if the process has too few
/// descriptors.
///
/// Each client may have one call in flight, with a connection to the vendor. If clients took the last descriptor, none
/// would be left for the vendor and every call would fail. Connections beyond the limit wait to be accepted instead.
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
            "there are too few file descriptors for --max-connections {asked} and their calls: \
             {max} connections are accepted at once; raise the limit (ulimit -n) or lower --max-connections"
        );
    }
    NonZeroUsize::new(max).unwrap_or(NonZeroUsize::MIN)
}

/// How many clients `descriptors` are enough for, if each has a call, up to `calls` in all.
fn affordable(descriptors: usize, calls: usize) -> usize {
    (descriptors / 2).max(descriptors.saturating_sub(calls))
}

/// Descriptors that this process may open.
fn available() -> usize {
    let soft = rlimit::Resource::NOFILE.get_soft();
    // If the limit cannot be read, the settings decide alone.
    soft.ok().and_then(|soft| soft.try_into().ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_a_descriptor_for_its_call() {
        for (descriptors, calls, clients) in [(0, 5, 0), (100, 1000, 50), (100, 50, 50), (100, 10, 90), (101, 1000, 50)]
        {
            assert_eq!(affordable(descriptors, calls), clients, "{descriptors} descriptors, {calls} calls");
            assert!(clients + clients.min(calls) <= descriptors);
        }
    }
}
