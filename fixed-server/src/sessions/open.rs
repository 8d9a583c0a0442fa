//! From a URL to a database with its tables.

use std::fs::File;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions, Connection, SqlSafeStr, raw_sql};
use tokio::time::timeout;
use uuid::Uuid;

use super::DatabaseUrl;
use super::database::{Database, DatabaseError};
use super::pool::Pool;
use crate::settings::{DatabaseSettings, Limits};
use crate::telemetry::DatabaseMetrics;

/// How long the database may take at the start, migrations included. Another server that starts at the
/// same time may be making the tables.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest private database, in pages of 4 KiB (64 MiB): it lives in memory, and clients decide how many
/// sessions there are.
pub(super) const PRIVATE_PAGES_MAX: u32 = 16_384;

/// Why the database cannot be used. No text here has a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It could not be reached.
    #[error("cannot open the database {database}: {cause}")]
    Connect {
        /// Which, without its password.
        database: String,
        /// Why not.
        cause: sqlx::Error,
    },
    /// Its file could not be made.
    #[error("cannot make the file of the database {database}: {cause}")]
    File {
        /// Which.
        database: String,
        /// Why not.
        cause: io::Error,
    },
    /// Its tables could not be made.
    #[error("cannot migrate the database {database}: {cause}")]
    Migrate {
        /// Which, without its password.
        database: String,
        /// Why not.
        cause: MigrateError,
    },
    /// It answers too slowly, or another process holds its lock.
    #[error("the database {database} did not answer within {START_TIMEOUT:?}")]
    Timeout {
        /// Which, without its password.
        database: String,
    },
    /// It failed on its first use.
    #[error("cannot use the database: {cause}")]
    FirstUse {
        /// Why not.
        cause: DatabaseError,
    },
}

/// What the kinds of database differ in; the statements are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    PrivateSqlite,
    SqliteFile,
    Postgres,
}

impl Dialect {
    fn of(url: Option<&DatabaseUrl>) -> Self {
        match url {
            None => Dialect::PrivateSqlite,
            Some(url) if url.is_postgres() => Dialect::Postgres,
            Some(_) => Dialect::SqliteFile,
        }
    }

    /// What a new connection is told first; `lock_wait` is how long it may wait for others.
    fn preparation(self, lock_wait: Duration) -> Option<String> {
        let wait = format!("PRAGMA busy_timeout = {};", lock_wait.as_millis());
        match self {
            Dialect::Postgres => None,
            Dialect::PrivateSqlite => Some(format!("{wait} PRAGMA max_page_count = {PRIVATE_PAGES_MAX};")),
            // With a write-ahead log readers and the writer do not wait for each other. Its last commits
            // may be lost with the machine's power; the database stays whole.
            Dialect::SqliteFile => Some(format!("{wait} PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")),
        }
    }

    /// Statements that may write at once.
    fn writers(self, pool_size: u32) -> usize {
        match self {
            // One writes, whatever is tried: the others may as well wait without a connection.
            Dialect::PrivateSqlite | Dialect::SqliteFile => 1,
            // One connection is left for the check of keys, whose calls wait for nothing else here.
            Dialect::Postgres => pool_size.saturating_sub(1).max(1) as usize,
        }
    }
}

/// What is opened, and how much of it is used.
#[derive(Debug)]
pub(super) struct OpenOptions<'a> {
    /// None for a database in memory.
    pub(super) url: Option<&'a DatabaseUrl>,
    pub(super) pool_size: u32,
    pub(super) acquire_timeout: Duration,
    pub(super) recycle_time: Option<Duration>,
}

impl<'a> OpenOptions<'a> {
    pub(super) fn of(settings: &'a DatabaseSettings, limits: &Limits) -> Self {
        OpenOptions {
            url: settings.database_url.as_ref(),
            pool_size: settings.database_pool_size,
            acquire_timeout: settings.acquire_timeout(limits),
            recycle_time: Some(settings.database_recycle_time),
        }
    }
}

/// Connects, makes the tables, and returns the pool. Nothing is retried: who started the server sees
/// what is wrong.
pub(super) async fn open(options: &OpenOptions<'_>, metrics: DatabaseMetrics) -> Result<Database, OpenError> {
    sqlx::any::install_default_drivers();
    let dialect = Dialect::of(options.url);
    let name = || options.url.map_or_else(|| "in memory".to_owned(), DatabaseUrl::to_string);
    if let Some(file) = options.url.and_then(DatabaseUrl::file) {
        make_private(file).map_err(|cause| OpenError::File { database: name(), cause })?;
    }
    let refused = |cause| OpenError::Connect { database: name(), cause };
    let connect = options.url.map_or_else(private, DatabaseUrl::options).map_err(refused)?;
    // What takes too long here is an error, not a line in the log.
    let connect = connect.disable_statement_logging();
    let first = timeout(START_TIMEOUT, async {
        let mut connection = connect.connect().await.map_err(refused)?;
        prepare(&mut connection, dialect, START_TIMEOUT).await.map_err(refused)?;
        match migrate(&mut connection, dialect).await {
            Ok(()) => Ok(connection),
            Err(cause) => Err(OpenError::Migrate { database: name(), cause }),
        }
    });
    let first = first.await.map_err(|_| OpenError::Timeout { database: name() })??;

    let wait = options.acquire_timeout;
    let pool = Pool::new(connect, dialect, wait, options.pool_size, options.recycle_time);
    // A database in memory is gone with its last connection, and the pool closes its own when they are
    // old or their caller left. This one is used by nobody.
    let keeps_alive = (dialect == Dialect::PrivateSqlite).then_some(first);
    Ok(Database::new(pool, dialect.writers(options.pool_size), wait, keeps_alive, metrics))
}

/// Makes the file if it is not there, readable by its owner alone: it tells who called when, and holds what
/// keys can be guessed from. SQLite would make it readable by all; the files beside it get what this one has.
fn make_private(file: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// A database that only this value's holders can name, in memory: it leaves no file, however the
/// process ends. `:memory:` would be another database for each connection.
fn private() -> sqlx::Result<AnyConnectOptions> {
    AnyConnectOptions::from_str(&format!("sqlite:///fixed-server-{}?mode=rwc&vfs=memdb", Uuid::now_v7()))
}

pub(super) async fn prepare(connection: &mut AnyConnection, dialect: Dialect, lock_wait: Duration) -> sqlx::Result<()> {
    if let Some(sql) = dialect.preparation(lock_wait) {
        // Numbers and constants of ours.
        raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    }
    Ok(())
}

/// Makes the tables that are missing. Of several processes that start at once, one does it, and the
/// others see it done: PostgreSQL's part of the migrator holds a lock meanwhile, SQLite's none, and gets
/// a transaction around it. Around PostgreSQL's, it would end after the lock.
async fn migrate(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), MigrateError> {
    let step = |version, what: &'static str, sql: &'static str| {
        Migration::new(version, what.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(vec![
        step(1, "keys and sessions", include_str!("migrations/0001_keys_and_sessions.sql")),
        step(2, "retention", include_str!("migrations/0002_retention.sql")),
    ]);
    if dialect == Dialect::Postgres {
        return migrator.run_direct(None, connection, false).await;
    }
    // SQLite's default takes the lock with the first write, which is too late: it has read by then.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}
