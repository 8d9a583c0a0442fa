//! The limit of open descriptors: a load needs one for each stream.

/// The runtime, files, ledgers, metrics, connections that are still closing.
const OTHERS: u64 = 200;

/// Raises the limit of open descriptors as far as the system allows, for this process and the ones
/// that it starts, and returns it.
#[must_use]
pub fn raise_descriptor_limit() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(256)
}

/// Descriptors that each process needs of a run with so many requests open at once at each of its servers, and with so
/// many probes without an answer at each.
#[must_use]
pub fn needed(open: &[u64], probes: u64) -> u64 {
    // A server needs two for each stream, one for each side.
    let server = open.iter().map(|open| 2 * open).max().unwrap_or(0) + OTHERS;
    server.max(needed_by_generator(open, probes))
}

/// The same of this process alone, where it has not started the servers: a server that hangs holds all of its probes until
/// their time-out.
#[must_use]
pub fn needed_by_generator(open: &[u64], probes: u64) -> u64 {
    open.iter().map(|open| open + probes).sum::<u64>() + OTHERS
}
