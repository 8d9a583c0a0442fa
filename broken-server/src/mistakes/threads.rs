mod blocked_executor;
mod pool_exhaustion;
mod pool_per_chunk;

pub(crate) use blocked_executor::BlockedExecutor;
pub(crate) use pool_exhaustion::PoolExhaustion;
pub(crate) use pool_per_chunk::PoolPerChunk;
