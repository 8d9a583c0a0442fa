//! Threads, pools and the event loop.

pub(crate) mod coordinated_omission;
pub(crate) mod hidden_pool_users;
pub(crate) mod more_threads;
pub(crate) mod rollout;
pub(crate) mod wrong_canary;

mod blocked_executor;
mod blocking_client;
mod orphaned_streams;
mod pool_exhaustion;
mod pool_per_chunk;

pub(crate) use blocked_executor::BlockedExecutor;
pub(crate) use blocking_client::BlockingClient;
pub(crate) use orphaned_streams::OrphanedStreams;
pub(crate) use pool_exhaustion::PoolExhaustion;
pub(crate) use pool_per_chunk::PoolPerChunk;
