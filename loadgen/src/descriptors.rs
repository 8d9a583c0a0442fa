//! The limit of open descriptors: a load needs one for each stream.

/// Raises the limit of open descriptors as far as the system allows, for this process and the ones
/// that it starts, and returns it.
#[must_use]
pub fn raise_descriptor_limit() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(256)
}
