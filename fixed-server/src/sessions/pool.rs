//! sqlx's pool of connections, set up for each kind of database.

use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::{PoolConnection, PoolConnectionMetadata};
use sqlx::{Any, AnyConnection, AnyPool, Connection};

use super::dialect::{Dialect, prepare};

/// sqlx tests a connection when it is returned. One that was returned this recently is not tested again.
const TESTED_FOR: Duration = Duration::from_millis(1);

/// The limits of a pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolLimits {
    /// Connections at once.
    pub(super) size: u32,
    /// How long to wait for a connection, and a connection for a lock.
    pub(super) acquire_timeout: Duration,
    /// The age at which a connection is replaced, if at all.
    pub(super) recycle_time: Option<Duration>,
}

/// A pool that opens its connections when they are needed.
pub(super) fn pool(connect: AnyConnectOptions, dialect: Dialect, limits: PoolLimits) -> AnyPool {
    let PoolLimits { size, acquire_timeout, recycle_time } = limits;
    AnyPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(acquire_timeout)
        // A slow acquire is counted where it times out.
        .acquire_slow_threshold(acquire_timeout)
        // `before_acquire` replaces these two: sqlx looks at the lifetime of an idle connection once in a lifetime.
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(prepare(connection, dialect, acquire_timeout)))
        .before_acquire(move |connection, used| Box::pin(is_usable(connection, used, dialect, recycle_time)))
        .connect_lazy_with(connect)
}

/// Whether an idle connection is young enough and still has a database at its other end. A server may have
/// closed it, and only a round trip shows that. A file cannot.
async fn is_usable(
    connection: &mut AnyConnection,
    used: PoolConnectionMetadata,
    dialect: Dialect,
    recycle_time: Option<Duration>,
) -> sqlx::Result<bool> {
    if recycle_time.is_some_and(|time| used.age >= time) {
        return Ok(false);
    }
    Ok(dialect != Dialect::Postgres || used.idle_for < TESTED_FOR || connection.ping().await.is_ok())
}

/// A connection in use. Unless [`InUse::return_to_pool`] is called it is closed: after a timeout, a failure or a
/// disconnect its state is unknown, and a statement that hangs would keep it busy in the pool.
pub(super) struct InUse {
    connection: PoolConnection<Any>,
    reusable: bool,
}

impl InUse {
    pub(super) fn new(connection: PoolConnection<Any>) -> Self {
        InUse { connection, reusable: false }
    }

    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Returns the connection to the pool. Its last statement must have ended.
    pub(super) fn return_to_pool(mut self) {
        self.reusable = true;
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if !self.reusable {
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use futures_util::FutureExt;
    use sqlx::query;
    use tokio::time::sleep;

    use super::*;

    fn one_connection(recycle_time: Option<Duration>) -> AnyPool {
        sqlx::any::install_default_drivers();
        let options = AnyConnectOptions::from_str("sqlite::memory:").unwrap();
        let limits = PoolLimits { size: 1, acquire_timeout: Duration::from_secs(5), recycle_time };
        pool(options, Dialect::PrivateSqlite, limits)
    }

    async fn acquire(pool: &AnyPool) -> InUse {
        InUse::new(pool.acquire().await.unwrap())
    }

    /// Only the connection itself sees it.
    async fn mark(used: &mut InUse) {
        query("CREATE TEMP TABLE mark (n INTEGER)").execute(used.connection()).await.unwrap();
    }

    async fn is_marked(used: &mut InUse) -> bool {
        query("SELECT n FROM mark").fetch_all(used.connection()).await.is_ok()
    }

    #[tokio::test]
    async fn a_returned_connection_is_reused_and_a_dropped_one_closed() {
        let pool = one_connection(None);
        let mut first = acquire(&pool).await;
        mark(&mut first).await;
        first.return_to_pool();
        let mut second = acquire(&pool).await;
        assert!(is_marked(&mut second).await);
        drop(second);
        assert!(!is_marked(&mut acquire(&pool).await).await);
    }

    #[tokio::test]
    async fn a_connection_over_the_recycle_time_is_replaced() {
        for (recycle_time, reused) in [(Duration::from_secs(3600), true), (Duration::from_millis(20), false)] {
            let pool = one_connection(Some(recycle_time));
            let mut first = acquire(&pool).await;
            mark(&mut first).await;
            first.return_to_pool();
            sleep(Duration::from_millis(30)).await;
            assert_eq!(is_marked(&mut acquire(&pool).await).await, reused, "{recycle_time:?}");
        }
    }

    /// What a disconnect does to a statement.
    #[tokio::test]
    async fn the_connection_of_a_cancelled_statement_is_closed() {
        let pool = one_connection(None);
        let mut used = acquire(&pool).await;
        mark(&mut used).await;
        let slow =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT MAX(i) FROM n";
        let cancelled = async move {
            query(slow).fetch_all(used.connection()).await.unwrap();
            used.return_to_pool();
        };
        assert!(cancelled.now_or_never().is_none(), "the statement has ended: nothing was cancelled");
        assert!(!is_marked(&mut acquire(&pool).await).await);
    }

    #[tokio::test]
    async fn closing_waits_for_connections_in_use() {
        let pool = one_connection(None);
        let used = acquire(&pool).await;
        let mut closing = Box::pin(pool.close());
        assert!((&mut closing).now_or_never().is_none());
        used.return_to_pool();
        closing.await;
        assert_eq!(pool.size(), 0);
        assert!(matches!(pool.acquire().await.map(drop), Err(sqlx::Error::PoolClosed)));
    }
}
