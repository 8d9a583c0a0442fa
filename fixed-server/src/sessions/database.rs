//! Runs statements on connections of the pool.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::Failure;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Row, query};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::dialect::PRIVATE_PAGES_MAX;
use super::metrics::DatabaseMetrics;
use super::pool::InUse;

/// How much longer a statement may take than SQLite waits for a lock, so that the error is the database's own.
const STATEMENT_MARGIN: Duration = Duration::from_millis(500);

/// A statement with its values. It is a transaction of its own.
pub(super) type Statement = Query<'static, Any, AnyArguments>;

/// Why a statement failed. The texts are for the log: they may name tables and addresses.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No connection was available in time.
    #[error("no connection to the database within {0:?}")]
    AcquireTimeout(Duration),
    /// The database did not answer in time.
    #[error("no answer from the database within {0:?}")]
    StatementTimeout(Duration),
    /// It could not be reached, or rejected the statement.
    #[error(transparent)]
    Failed(#[from] sqlx::Error),
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Failure::Database(error.to_string())
    }
}

/// A database with its pool of connections. It takes a statement and returns rows; no caller can hold a connection.
pub(super) struct Database {
    pool: AnyPool,
    /// Limits statements that write at once. They wait for it without a connection.
    writers: Semaphore,
    acquire_timeout: Duration,
    statement_timeout: Duration,
    /// Whether the last read and the last write failed, so that the log has the changes and not every failure. A lock
    /// can stop writes and not reads.
    reads_fail: AtomicBool,
    writes_fail: AtomicBool,
    metrics: DatabaseMetrics,
    /// Keeps a database in memory alive. In a mutex because a connection is not `Sync`.
    keeps_alive: Option<Mutex<AnyConnection>>,
}

impl Database {
    pub(super) fn new(
        pool: AnyPool,
        writers: usize,
        wait: Duration,
        keeps_alive: Option<AnyConnection>,
        metrics: DatabaseMetrics,
    ) -> Self {
        Database {
            pool,
            writers: Semaphore::new(writers),
            acquire_timeout: wait,
            statement_timeout: wait + STATEMENT_MARGIN,
            reads_fail: AtomicBool::new(false),
            writes_fail: AtomicBool::new(false),
            metrics,
            keeps_alive: keeps_alive.map(Mutex::new),
        }
    }

    /// Runs a statement that only reads.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<AnyRow>, DatabaseError> {
        let rows = self.run(statement, self.pool.acquire()).await;
        log_change(&self.reads_fail, &rows, "read from");
        rows
    }

    /// Runs a statement that writes.
    pub(super) async fn write(&self, statement: Statement) -> Result<Vec<AnyRow>, DatabaseError> {
        let mut permit = None;
        let connection = async {
            permit = self.writers.acquire().await.ok();
            self.pool.acquire().await
        };
        let rows = self.run(statement, connection).await;
        drop(permit);
        log_change(&self.writes_fail, &rows, "written to");
        rows
    }

    async fn run(
        &self,
        statement: Statement,
        connection: impl Future<Output = sqlx::Result<PoolConnection<Any>>>,
    ) -> Result<Vec<AnyRow>, DatabaseError> {
        let connection = match timeout(self.acquire_timeout, connection).await {
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => {
                self.metrics.pool.acquire_timeout();
                return Err(DatabaseError::AcquireTimeout(self.acquire_timeout));
            }
            Ok(connection) => connection,
        };
        let rows = self.run_on(connection, statement).await;
        rows.inspect_err(|_| self.metrics.pool.failure())
    }

    // ANCHOR: db-held-during-call
    /// Runs `statement` on `connection`, which is back in the pool afterwards.
    async fn run_on(
        &self,
        connection: sqlx::Result<PoolConnection<Any>>,
        statement: Statement,
    ) -> Result<Vec<AnyRow>, DatabaseError> {
        let mut connection = InUse::new(connection?);
        let rows = timeout(self.statement_timeout, statement.fetch_all(connection.connection())).await;
        let rows = rows.map_err(|_| DatabaseError::StatementTimeout(self.statement_timeout))??;
        // FIX db-held-during-call: one statement, and the connection is back. Callers get rows: none of them can keep a
        // connection while the vendor works, or while a client reads.
        connection.return_to_pool();
        Ok(rows)
    }
    // ANCHOR_END: db-held-during-call

    /// Whether it is in this process's memory.
    pub(super) fn is_in_memory(&self) -> bool {
        self.keeps_alive.is_some()
    }

    /// Whether a database in memory is nearly full. Other databases have no limit here.
    pub(super) async fn is_nearly_full(&self) -> Result<bool, DatabaseError> {
        if !self.is_in_memory() {
            return Ok(false);
        }
        let used = "SELECT (SELECT page_count FROM pragma_page_count) \
                    - (SELECT freelist_count FROM pragma_freelist_count) AS pages";
        let rows = self.read(query(used)).await?;
        let pages: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get("pages")?;
        Ok(pages > i64::from(PRIVATE_PAGES_MAX / 4 * 3))
    }

    /// Updates the gauges of the pool.
    pub(super) fn count_connections(&self) {
        self.metrics.pool.set_connections(self.pool.size() as usize, self.pool.num_idle());
    }

    /// Closes all connections, upon which SQLite cleans up its files. It waits for those in use.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

fn log_change(fails: &AtomicBool, rows: &Result<Vec<AnyRow>, DatabaseError>, what: &'static str) {
    let failed_before = fails.swap(rows.is_err(), Ordering::Relaxed);
    match rows {
        Err(error) if !failed_before => tracing::warn!(%error, "the database cannot be {what}"),
        Ok(_) if failed_before => tracing::info!("the database can be {what} again"),
        _ => {}
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").finish_non_exhaustive()
    }
}

/// The text in a column that is never null.
pub(super) fn text(row: &AnyRow, column: &str) -> sqlx::Result<String> {
    row.try_get(column)
}

/// The current time, as it is stored.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
