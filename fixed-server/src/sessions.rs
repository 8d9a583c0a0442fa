//! Keys and sessions, in a database: embedded SQLite, or PostgreSQL.
//!
//! No connection is held during a call to the vendor. A call that takes 30 s would hold it for 30 s, and five such calls
//! would exhaust a pool of five. This is guaranteed by construction: a connection never leaves `database.rs`, where one
//! statement runs on it. The rest of the server gets values: a key's id, a session's call.

mod calls;
mod database;
mod dialect;
mod keys;
mod metrics;
mod open;
mod pool;
mod random;
mod retention;

use std::sync::Arc;
use std::time::Duration;

use gateway::{DatabaseUrl, KeyHash};
use tokio::time::{Instant, timeout, timeout_at};

use self::calls::ResultWriter;
use self::database::Database;
use self::retention::{Retention, RetentionTimes};

pub(crate) use calls::SessionCall;
pub use database::DatabaseError;
pub(crate) use keys::{AddError, Key, KeyId, Keys, RevokeError};
pub(crate) use metrics::DatabaseMetrics;
pub(crate) use open::DatabaseOptions;
pub use open::OpenError;
pub(crate) use random::new_key;

/// The name of the key that `--api-key` adds.
pub(crate) const DEMO: &str = "demo";

/// How long a key command waits for the database, which servers are using at the same time.
const KEY_COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// The settings of keys and sessions.
#[derive(Debug, Clone)]
pub(crate) struct SessionOptions {
    pub(crate) database: DatabaseOptions,
    /// The keys to add to a database without keys.
    pub(crate) first_keys: Vec<KeyHash>,
    /// How long results are kept; forever if None.
    pub(crate) retention: Option<Duration>,
    /// The longest duration of a call. A session is kept that much longer, for its last result.
    pub(crate) longest_call: Duration,
}

/// The keys and sessions of a server.
#[derive(Debug)]
pub(crate) struct Sessions {
    database: Arc<Database>,
    results: ResultWriter,
    retention: Retention,
}

impl Sessions {
    /// Opens the database, creates its tables, and adds the first key if there is none.
    ///
    /// # Errors
    /// If the database cannot be reached or used.
    pub(crate) async fn open(options: &SessionOptions, metrics: DatabaseMetrics) -> Result<Self, OpenError> {
        let database = Arc::new(open::open(&options.database, metrics.clone()).await?);
        let added = Keys::new(&database).add_first(DEMO, &options.first_keys).await;
        if added.map_err(|cause| OpenError::FirstUse { cause })? {
            tracing::info!(keys = options.first_keys.len(), "the database has no keys yet: added {DEMO}, of --api-key");
        }
        let kept = RetentionTimes::new(options.retention, options.longest_call);
        let retention = Retention::new(database.clone(), kept, metrics.clone());
        let results = ResultWriter::new(database.clone(), metrics);
        Ok(Sessions { database, results, retention })
    }

    /// The id of the key with this hash, unless it was revoked. Every call reads the database: a cached answer would
    /// admit a revoked key for as long as it is cached.
    pub(crate) async fn check_key(&self, sent: &KeyHash) -> Result<Option<KeyId>, DatabaseError> {
        Keys::new(&self.database).check(sent).await
    }

    /// A call in the session of this name. A session belongs to its key: the same name under another key is another
    /// session. Nothing is stored before [`SessionCall::begin`].
    pub(crate) fn call(&self, name: &str, key: Option<&KeyId>, request_id: &str, model: &str) -> SessionCall {
        self.results.call(name, key, request_id, model)
    }

    /// Updates the gauges of the pool.
    pub(crate) fn count_connections(&self) {
        self.database.count_connections();
    }

    /// Waits until the results of all calls are stored and closes the database, until `deadline` at the latest.
    pub(crate) async fn finish(&self, deadline: Instant) {
        if timeout_at(deadline, self.results.finish()).await.is_err() {
            tracing::warn!(lost = self.results.queued(), "the results of some calls could not be stored in time");
        }
        // An expired row that remains is removed by the next server.
        let _ = timeout_at(deadline, self.retention.finish()).await;
        // A connection that remains is closed with the process.
        let _ = timeout_at(deadline, self.database.close()).await;
    }
}

/// The database of the key commands: no sessions, one connection.
#[derive(Debug)]
pub(crate) struct KeyDatabase(Database);

impl KeyDatabase {
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let (url, acquire_timeout) = (Some(url.clone()), KEY_COMMAND_TIMEOUT);
        let options = DatabaseOptions { url, pool_size: 1, acquire_timeout, recycle_time: None };
        Ok(KeyDatabase(open::open(&options, DatabaseMetrics::default()).await?))
    }

    pub(crate) fn keys(&self) -> Keys<'_> {
        Keys::new(&self.0)
    }

    pub(crate) async fn close(self) {
        let _ = timeout(KEY_COMMAND_TIMEOUT, self.0.close()).await;
    }
}
