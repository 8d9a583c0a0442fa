//! Connections.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions, Connection as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::open::{Dialect, prepare};

/// Connections to the database, at most so many at once; who is one too many waits in line.
///
/// Not sqlx's pool: that tests each connection when it is given back, in a task of its own. The next
/// request finds it still out, and wakes another one, with another thread and cold caches. Measured with
/// `make bench-stack`, a call whose key is checked takes about 500 us of processor time with it, and about
/// 440 us with this.
pub(super) struct Pool {
    connect: AnyConnectOptions,
    dialect: Dialect,
    /// How long a new connection is told to wait for locks.
    lock_wait: Duration,
    size: u32,
    recycle_time: Option<Duration>,
    places: Semaphore,
    /// The last one in is the first one out.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AnyConnection,
    made: Instant,
}

/// A connection in use. Dropped like this (its caller left, its time is over, its statement failed), it
/// is closed: nobody knows what it is in the middle of.
pub(super) struct Connection<'a> {
    pub(super) inner: AnyConnection,
    made: Instant,
    pool: &'a Pool,
    _place: SemaphorePermit<'a>,
}

impl Pool {
    /// No connection yet.
    pub(super) fn new(
        connect: AnyConnectOptions,
        dialect: Dialect,
        lock_wait: Duration,
        size: u32,
        recycle_time: Option<Duration>,
    ) -> Self {
        let places = Semaphore::new(size as usize);
        Pool { connect, dialect, lock_wait, size, recycle_time, places, idle: Mutex::default() }
    }

    /// A connection, once there is a place for it: one that is there, or a new one.
    pub(super) async fn acquire(&self) -> sqlx::Result<Connection<'_>> {
        let place = self.places.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(mut idle) = { self.idle().pop() } {
            let old = self.recycle_time.is_some_and(|time| idle.made.elapsed() >= time);
            if !old && self.is_alive(&mut idle.connection).await {
                return Ok(Connection { inner: idle.connection, made: idle.made, pool: self, _place: place });
            }
        }
        let mut inner = self.connect.connect().await?;
        prepare(&mut inner, self.dialect, self.lock_wait).await?;
        Ok(Connection { inner, made: Instant::now(), pool: self, _place: place })
    }

    /// Whether a connection still has a database at its other end. A server may have restarted or closed it
    /// a moment ago, and only asking tells. A file goes nowhere.
    async fn is_alive(&self, connection: &mut AnyConnection) -> bool {
        self.dialect != Dialect::Postgres || connection.ping().await.is_ok()
    }

    /// How many are open, and how many of these in use.
    pub(super) fn count(&self) -> (usize, usize) {
        let in_use = (self.size as usize).saturating_sub(self.places.available_permits());
        (self.idle().len() + in_use, in_use)
    }

    /// Closes all, for which SQLite tidies its files up. It waits for those that are in use.
    pub(super) async fn close(&self) {
        let _all = self.places.acquire_many(self.size).await;
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            // One that cannot be closed in order is closed by being dropped.
            let _ = connection.close().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection<'_> {
    /// Keeps the connection for the next statement. The last one must have ended.
    pub(super) fn keep(self) {
        let Connection { inner, made, pool, _place } = self;
        pool.idle().push(Idle { connection: inner, made });
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use futures_util::FutureExt;
    use sqlx::query;

    use super::*;

    fn pool(size: u32, recycle_time: Option<Duration>) -> Pool {
        sqlx::any::install_default_drivers();
        let options = AnyConnectOptions::from_str("sqlite::memory:").unwrap();
        Pool::new(options, Dialect::PrivateSqlite, Duration::from_secs(1), size, recycle_time)
    }

    /// Only the connection itself sees it.
    async fn mark(connection: &mut Connection<'_>) {
        query("CREATE TEMP TABLE mark (n INTEGER)").execute(&mut connection.inner).await.unwrap();
    }

    async fn is_marked(connection: &mut Connection<'_>) -> bool {
        query("SELECT n FROM mark").fetch_all(&mut connection.inner).await.is_ok()
    }

    #[tokio::test]
    async fn a_kept_connection_is_used_again_and_a_dropped_one_is_not() {
        let pool = pool(2, None);
        let mut first = pool.acquire().await.unwrap();
        mark(&mut first).await;
        first.keep();
        assert_eq!(pool.count(), (1, 0));
        let mut again = pool.acquire().await.unwrap();
        assert!(is_marked(&mut again).await);
        assert_eq!(pool.count(), (1, 1));
        drop(again);
        assert_eq!(pool.count(), (0, 0));
        assert!(!is_marked(&mut pool.acquire().await.unwrap()).await);
    }

    #[tokio::test]
    async fn an_old_connection_is_not_used_again() {
        let pool = pool(1, Some(Duration::ZERO));
        let mut first = pool.acquire().await.unwrap();
        mark(&mut first).await;
        first.keep();
        assert!(!is_marked(&mut pool.acquire().await.unwrap()).await);
    }

    #[tokio::test]
    async fn who_is_one_too_many_waits_in_line_and_gives_up_without_harm() {
        let pool = pool(1, None);
        let held = pool.acquire().await.unwrap();
        let mut second = Box::pin(pool.acquire());
        let mut third = Box::pin(pool.acquire());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(second);
        held.keep();
        assert_eq!(third.await.map(|_| pool.count()).unwrap(), (1, 1));
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_in_use_and_then_there_is_no_more() {
        let pool = pool(2, None);
        let held = pool.acquire().await.unwrap();
        let mut closing = Box::pin(pool.close());
        assert!(closing.as_mut().now_or_never().is_none());
        held.keep();
        closing.await;
        assert_eq!(pool.count().1, 0);
        assert!(matches!(pool.acquire().await.map(drop), Err(sqlx::Error::PoolClosed)));
    }
}
