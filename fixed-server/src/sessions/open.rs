//! From a URL to a database with its tables.

use std::fs::File;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use gateway::DatabaseUrl;
use sqlx::any::AnyConnectOptions;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, ConnectOptions, Connection, SqlSafeStr};
use tokio::time::timeout;
use uuid::Uuid;

use super::database::{Database, DatabaseError};
use super::dialect::{Dialect, prepare};
use super::metrics::DatabaseMetrics;
use super::pool::{PoolLimits, pool};

/// How long opening the database may take, migrations included. Another server that starts at the same time may be
/// creating the tables.
const START_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// Its file could not be created.
    #[error("cannot create the file of the database {database}: {cause}")]
    File {
        /// Which.
        database: String,
        /// Why not.
        cause: io::Error,
    },
    /// Its tables could not be created.
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

/// Which database, and the limits of its pool.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseOptions {
    /// None for a database in memory.
    pub(crate) url: Option<DatabaseUrl>,
    /// Connections at once.
    pub(crate) pool_size: u32,
    /// How long a statement may wait for a connection, and then for a lock.
    pub(crate) acquire_timeout: Duration,
    /// The age at which a connection is replaced, if at all.
    pub(crate) recycle_time: Option<Duration>,
}

/// Connects, creates the tables, and returns the database. Nothing is retried, so that errors are reported at the start.
pub(super) async fn open(options: &DatabaseOptions, metrics: DatabaseMetrics) -> Result<Database, OpenError> {
    sqlx::any::install_default_drivers();
    let dialect = Dialect::of(options.url.as_ref());
    let name = || options.url.as_ref().map_or_else(|| "in memory".to_owned(), DatabaseUrl::to_string);
    if let Some(file) = options.url.as_ref().and_then(DatabaseUrl::file) {
        create_private(file).map_err(|cause| OpenError::File { database: name(), cause })?;
    }
    let refused = |cause| OpenError::Connect { database: name(), cause };
    let url = options.url.as_ref().map_or_else(private, DatabaseUrl::with_password);
    let connect = AnyConnectOptions::from_str(&url).map_err(refused)?;
    // A statement that takes too long is an error here, not a line in the log.
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

    let DatabaseOptions { pool_size: size, acquire_timeout, recycle_time, .. } = *options;
    let pool = pool(connect, dialect, PoolLimits { size, acquire_timeout, recycle_time });
    // A database in memory ends with its last connection, and the pool closes connections that are old or whose
    // statement was cancelled. This one is never used, and stays open.
    let keeps_alive = (dialect == Dialect::PrivateSqlite).then_some(first);
    Ok(Database::new(pool, dialect.writers(size), acquire_timeout, keeps_alive, metrics))
}

/// Creates the file if it is missing, readable only by its owner: it tells who called when, and has the hashes of keys.
/// SQLite would make it readable by all. It gives the files beside it the same permissions.
fn create_private(file: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// A database in memory under a unique name. With `:memory:` each connection would have its own database.
fn private() -> String {
    format!("sqlite:///fixed-server-{}?mode=rwc&vfs=memdb", Uuid::now_v7())
}

/// Creates missing tables. Of several processes that start at once, one does it. For PostgreSQL the migrator holds a
/// lock; for SQLite it does not, so a transaction is around it. Around PostgreSQL's, it would end after the lock.
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
    // By default SQLite takes the lock with the first write, after the migrator has read the state.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}
