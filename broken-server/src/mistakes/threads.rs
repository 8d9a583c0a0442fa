//! Threads, pools and the event loop.

pub(crate) mod blocked_executor;
pub(crate) mod blocking_client;
pub(crate) mod coordinated_omission;
pub(crate) mod hidden_pool_users;
pub(crate) mod more_threads;
pub(crate) mod orphaned_streams;
pub(crate) mod pool_exhaustion;
pub(crate) mod pool_per_chunk;
pub(crate) mod rollout;
pub(crate) mod wrong_canary;
