//! The database of a server that counts the calls of its keys: a pool of connections to SQLite in memory.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool, query};

use crate::errors::Failure;

/// Connections at once: SQLAlchemy's defaults, `pool_size` 5 and `max_overflow` 10. (It closes the last ten when they
/// are returned, and sqlx keeps them. For who waits, only the sum matters.)
const CONNECTIONS_MAX: u32 = 5 + 10;

/// Databases that were made. Each has a name of its own; without one, each connection would have a database of its own.
static MADE: AtomicU32 = AtomicU32::new(0);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, made INTEGER NOT NULL)";

/// A pool of connections that are opened when they are needed.
#[derive(Debug, Clone)]
pub(crate) struct Database(SqlitePool);

impl Database {
    /// A pool in which a caller waits at most `acquire_timeout` for a connection.
    ///
    /// # Errors
    /// The library does not know the URL.
    pub(crate) fn new(acquire_timeout: Duration) -> sqlx::Result<Self> {
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(acquire_timeout)
            .acquire_slow_threshold(acquire_timeout)
            // The database ends with its last connection.
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|connection, _| Box::pin(async move { query(TABLE).execute(connection).await.map(drop) }));
        let url = format!("sqlite:///broken-server-{}?mode=rwc&vfs=memdb", MADE.fetch_add(1, Relaxed));
        Ok(Database(pool.connect_lazy_with(SqliteConnectOptions::from_str(&url)?)))
    }

    /// Takes a connection out of the pool and counts a call of `key`. Until it is dropped, nobody else has it.
    ///
    /// # Errors
    /// [`Failure::Database`], also when no connection came free in time.
    pub(crate) async fn begin_call(&self, key: &str) -> Result<PoolConnection<Sqlite>, Failure> {
        const COUNT: &str =
            "INSERT INTO calls (key, made) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET made = made + 1";
        let failed = |error: sqlx::Error| Failure::Database(error.to_string());
        let mut connection = self.0.acquire().await.map_err(failed)?;
        query(COUNT).bind(key.to_owned()).execute(&mut *connection).await.map_err(failed)?;
        Ok(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sixteenth_call_waits_for_a_connection() {
        let database = Database::new(Duration::from_millis(500)).unwrap();
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            held.push(database.begin_call("key").await.unwrap());
        }
        assert!(matches!(database.begin_call("key").await, Err(Failure::Database(_))));
        held.pop();
        assert!(database.begin_call("key").await.is_ok());
    }

    #[tokio::test]
    async fn calls_one_after_another_need_few_connections() {
        let database = Database::new(Duration::from_secs(5)).unwrap();
        for _ in 0..2 * CONNECTIONS_MAX {
            drop(database.begin_call("key").await.unwrap());
        }
        let mut connection = database.0.acquire().await.unwrap();
        let made: (i64,) =
            sqlx::query_as("SELECT made FROM calls WHERE key = 'key'").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(made.0, 30);
        // More than one, because sqlx takes a moment to return a connection.
        assert!(database.0.size() <= 5, "{} connections", database.0.size());
    }
}
