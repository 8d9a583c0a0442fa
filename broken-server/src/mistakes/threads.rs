//! Threads, pools and the event loop.

use crate::mistake::Mistake;

pub(crate) mod blocked_executor;
pub(crate) mod blocking_client;
pub(crate) mod coordinated_omission;
pub(crate) mod cpu_on_the_loop;
pub(crate) mod hidden_pool_users;
pub(crate) mod more_threads;
pub(crate) mod orphaned_streams;
pub(crate) mod pool_exhaustion;
pub(crate) mod pool_per_chunk;
pub(crate) mod rollout;
pub(crate) mod wrong_canary;

/// The mistakes of this group, in the order of the workshop.
pub(crate) const MISTAKES: &[Mistake] = &[
    pool_exhaustion::ENTRY,
    pool_per_chunk::ENTRY,
    blocked_executor::ENTRY,
    blocking_client::ENTRY,
    hidden_pool_users::ENTRY,
    more_threads::ENTRY,
    wrong_canary::ENTRY,
    rollout::ENTRY,
    orphaned_streams::ENTRY,
    coordinated_omission::ENTRY,
    cpu_on_the_loop::ENTRY,
];
