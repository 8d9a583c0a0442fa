//! The differences between the kinds of database.

use std::time::Duration;

use gateway::DatabaseUrl;
use sqlx::{AnyConnection, AssertSqlSafe, raw_sql};

/// Largest private database, in pages of 4 KiB (64 MiB): it is in memory, and clients decide how many sessions there
/// are.
pub(super) const PRIVATE_PAGES_MAX: u32 = 16_384;

/// The kinds of database. Their statements are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    PrivateSqlite,
    SqliteFile,
    Postgres,
}

impl Dialect {
    pub(super) fn of(url: Option<&DatabaseUrl>) -> Self {
        match url {
            None => Dialect::PrivateSqlite,
            Some(url) if url.is_postgres() => Dialect::Postgres,
            Some(_) => Dialect::SqliteFile,
        }
    }

    /// The first statements on a new connection; `lock_wait` is how long it may wait for a lock.
    fn preparation(self, lock_wait: Duration) -> Option<String> {
        let wait = format!("PRAGMA busy_timeout = {};", lock_wait.as_millis());
        match self {
            Dialect::Postgres => None,
            Dialect::PrivateSqlite => Some(format!("{wait} PRAGMA max_page_count = {PRIVATE_PAGES_MAX};")),
            // With a write-ahead log, readers and the writer do not wait for each other. A power failure may lose the
            // last commits, but does not corrupt the database.
            Dialect::SqliteFile => Some(format!("{wait} PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")),
        }
    }

    /// Statements that may write at once.
    pub(super) fn writers(self, pool_size: u32) -> usize {
        match self {
            // SQLite allows one writer: the others wait without a connection.
            Dialect::PrivateSqlite | Dialect::SqliteFile => 1,
            // One connection is reserved for checks of keys.
            Dialect::Postgres => pool_size.saturating_sub(1).max(1) as usize,
        }
    }
}

/// Prepares a new connection.
pub(super) async fn prepare(connection: &mut AnyConnection, dialect: Dialect, lock_wait: Duration) -> sqlx::Result<()> {
    if let Some(sql) = dialect.preparation(lock_wait) {
        // Numbers and constants of ours.
        raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    }
    Ok(())
}
