//! The pool, and how one statement runs.

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

/// How much longer a statement may take than a lock is waited for, so that the database itself gets to
/// say why it failed.
const STATEMENT_MARGIN: Duration = Duration::from_millis(500);

/// One statement with its values. Alone it is a transaction, in both databases.
pub(super) type Statement = Query<'static, Any, AnyArguments>;

/// Why the database gave no answer. The texts are for the log: they may name tables and addresses.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No connection was free or could be made in time.
    #[error("no connection to the database within {0:?}")]
    AcquireTimeout(Duration),
    /// The database did not answer in time.
    #[error("no answer from the database within {0:?}")]
    StatementTimeout(Duration),
    /// It could not be reached, or refused the statement.
    #[error(transparent)]
    Failed(#[from] sqlx::Error),
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Failure::Database(error.to_string())
    }
}

/// The pool of connections. A statement goes in, rows come out; between the two a connection is taken
/// and given back, and nobody outside can hold one.
pub(super) struct Database {
    pool: AnyPool,
    /// In line for this, statements that write wait without a connection.
    writers: Semaphore,
    acquire_timeout: Duration,
    statement_timeout: Duration,
    /// Whether the last statement failed, of those that read and of those that write, so that the log
    /// tells the change and not every call. A lock can stop the one kind and not the other.
    reads_fail: AtomicBool,
    writes_fail: AtomicBool,
    metrics: DatabaseMetrics,
    /// Keeps a database in memory alive. In a mutex because a connection cannot be shared.
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
        note(&self.reads_fail, &rows, "read from");
        rows
    }

    /// Runs a statement that writes.
    pub(super) async fn write(&self, statement: Statement) -> Result<Vec<AnyRow>, DatabaseError> {
        let mut turn = None;
        let connection = async {
            turn = self.writers.acquire().await.ok();
            self.pool.acquire().await
        };
        let rows = self.run(statement, connection).await;
        drop(turn);
        note(&self.writes_fail, &rows, "written to");
        rows
    }

    async fn run(
        &self,
        statement: Statement,
        connection: impl Future<Output = sqlx::Result<PoolConnection<Any>>>,
    ) -> Result<Vec<AnyRow>, DatabaseError> {
        let connection = match timeout(self.acquire_timeout, connection).await {
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => {
                self.metrics.acquire_timeout();
                return Err(DatabaseError::AcquireTimeout(self.acquire_timeout));
            }
            Ok(connection) => connection,
        };
        let rows = self.run_on(connection, statement).await;
        rows.inspect_err(|_| self.metrics.failure())
    }

    async fn run_on(
        &self,
        connection: sqlx::Result<PoolConnection<Any>>,
        statement: Statement,
    ) -> Result<Vec<AnyRow>, DatabaseError> {
        let mut connection = InUse::new(connection?);
        let rows = timeout(self.statement_timeout, statement.fetch_all(connection.connection())).await;
        let rows = rows.map_err(|_| DatabaseError::StatementTimeout(self.statement_timeout))??;
        connection.give_back();
        Ok(rows)
    }

    /// Whether it ends with this process.
    pub(super) fn is_in_memory(&self) -> bool {
        self.keeps_alive.is_some()
    }

    /// Whether a database in memory has little room left. Of others it is not for us to say.
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

    /// Sets the gauges of the pool to what they are now.
    pub(super) fn count_connections(&self) {
        let open = self.pool.size() as usize;
        self.metrics.connections(open, open.saturating_sub(self.pool.num_idle()));
    }

    /// Closes all connections, for which SQLite tidies its files up. It waits for those that are in use.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

fn note(fails: &AtomicBool, rows: &Result<Vec<AnyRow>, DatabaseError>, what: &'static str) {
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

/// The present, as it is stored.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
