//! The database of keys, with the number of calls of each: embedded SQLite, or PostgreSQL. It has a pool of connections,
//! and a connection that somebody has taken out of it nobody else can use.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use gateway::{DatabasePoolMetrics, DatabaseUrl, KeyHash};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, query, raw_sql};
use tokio::time::timeout;

use crate::errors::Failure;
use crate::settings::DatabaseSettings;

/// How long opening the database may take.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than any caller waits for a connection: each has a limit of its own.
const NO_LIMIT: Duration = Duration::from_secs(3600);

/// Databases in memory that were made. Each has a name of its own; without one, each connection would have a database
/// of its own.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Its name is unlike any of fixed-server's: both may use the same database.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS broken_server_keys (hash TEXT PRIMARY KEY, calls BIGINT NOT NULL)";

/// Several servers that start at once create it one after another: PostgreSQL fails if two do it at once.
const TABLE_IN_TURN: [&str; 3] = ["BEGIN; SELECT pg_advisory_xact_lock(80000)", TABLE, "COMMIT"];

/// Why the database cannot be used. The text has no password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It could not be reached, or rejected a statement.
    #[error("cannot open the database {database}: {cause}")]
    Failed {
        /// Which, without its password.
        database: String,
        /// Why not.
        cause: sqlx::Error,
    },
    /// It answers too slowly.
    #[error("the database {0} did not answer within {START_TIMEOUT:?}")]
    Timeout(String),
}

/// A connection that was taken out of the pool, and goes back to it when it is dropped.
pub(crate) type Connection = PoolConnection<Any>;

/// The database, with its pool of connections that are opened when they are needed.
#[derive(Debug)]
pub(crate) struct Database {
    pool: AnyPool,
    acquire_timeout: Duration,
    metrics: DatabasePoolMetrics,
    /// Keeps a database in memory alive: it ends with its last connection. In a mutex because a connection is not `Sync`.
    _keeps_alive: Option<Mutex<AnyConnection>>,
}

impl Database {
    /// Connects, creates the table, and adds those of `keys` that are missing. A caller waits at most `acquire_timeout`
    /// for a connection.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(crate) async fn open(
        settings: &DatabaseSettings,
        acquire_timeout: Duration,
        keys: &[KeyHash],
        metrics: DatabasePoolMetrics,
    ) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let url = settings.database_url.as_ref();
        let name = || url.map_or_else(|| "in memory".to_owned(), DatabaseUrl::to_string);
        let failed = |cause| OpenError::Failed { database: name(), cause };
        let connect: AnyConnectOptions =
            url.map_or_else(in_memory, DatabaseUrl::with_password).parse().map_err(failed)?;
        let connect = connect.disable_statement_logging();
        let first = timeout(START_TIMEOUT, prepare(&connect, url.is_some_and(DatabaseUrl::is_postgres), keys)).await;
        let first = first.map_err(|_| OpenError::Timeout(name()))?.map_err(failed)?;
        let pool = AnyPoolOptions::new()
            .max_connections(settings.database_pool_size)
            .acquire_timeout(NO_LIMIT)
            .acquire_slow_threshold(NO_LIMIT)
            .connect_lazy_with(connect);
        let _keeps_alive = url.is_none().then(|| Mutex::new(first));
        Ok(Database { pool, acquire_timeout, metrics, _keeps_alive })
    }

    /// Whether there is a key with this hash. Its connection is back in the pool afterwards.
    ///
    /// # Errors
    /// [`Failure::Database`], also when no connection came free in time.
    pub(crate) async fn has_key(&self, key: &KeyHash) -> Result<bool, Failure> {
        let mut connection = self.acquire(self.acquire_timeout).await?;
        let found = query("SELECT hash FROM broken_server_keys WHERE hash = $1").bind(key.as_str().to_owned());
        let rows = self.answered(found.fetch_all(&mut *connection)).await?;
        Ok(!rows.is_empty())
    }

    /// Counts a call of `key`, and returns the connection with which it did. Until that is dropped, nobody else has it.
    /// Without a key, none was needed.
    ///
    /// # Errors
    /// As [`Database::has_key`].
    pub(crate) async fn count_call(&self, key: Option<&KeyHash>) -> Result<Option<Connection>, Failure> {
        self.count_call_within(self.acquire_timeout, key).await
    }

    /// The same with another limit for the wait for a connection.
    ///
    /// # Errors
    /// As [`Database::has_key`].
    pub(crate) async fn count_call_within(
        &self,
        wait: Duration,
        key: Option<&KeyHash>,
    ) -> Result<Option<Connection>, Failure> {
        let Some(key) = key else { return Ok(None) };
        let mut connection = self.acquire(wait).await?;
        let count = query("UPDATE broken_server_keys SET calls = calls + 1 WHERE hash = $1");
        self.answered(count.bind(key.as_str().to_owned()).execute(&mut *connection)).await?;
        Ok(Some(connection))
    }

    /// Updates the gauges of the pool.
    pub(crate) fn count_connections(&self) {
        self.metrics.set_connections(self.pool.size() as usize, self.pool.num_idle());
    }

    async fn acquire(&self, wait: Duration) -> Result<Connection, Failure> {
        match timeout(wait, self.pool.acquire()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => {
                self.metrics.acquire_timeout();
                Err(Failure::Database(format!("no connection to the database within {wait:?}")))
            }
        }
    }

    async fn answered<T>(&self, statement: impl Future<Output = sqlx::Result<T>>) -> Result<T, Failure> {
        let limit = self.acquire_timeout;
        let late = || sqlx::Error::Protocol(format!("no answer from the database within {limit:?}"));
        timeout(limit, statement).await.unwrap_or_else(|_| Err(late())).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &sqlx::Error) -> Failure {
        self.metrics.failure();
        Failure::Database(error.to_string())
    }
}

/// The URL of a database in memory.
fn in_memory() -> String {
    format!("sqlite:///broken-server-{}?mode=rwc&vfs=memdb", MADE.fetch_add(1, Relaxed))
}

/// A first connection, with which the table was created.
async fn prepare(connect: &AnyConnectOptions, is_postgres: bool, keys: &[KeyHash]) -> sqlx::Result<AnyConnection> {
    let mut connection = connect.connect().await?;
    for statement in if is_postgres { &TABLE_IN_TURN[..] } else { &[TABLE] } {
        raw_sql(*statement).execute(&mut connection).await?;
    }
    for key in keys {
        let add = query("INSERT INTO broken_server_keys (hash, calls) VALUES ($1, 0) ON CONFLICT DO NOTHING");
        add.bind(key.as_str().to_owned()).execute(&mut connection).await?;
    }
    Ok(connection)
}

#[cfg(test)]
mod tests;
