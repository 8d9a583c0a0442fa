//! Keys and sessions, in a database: embedded SQLite, or PostgreSQL.
//!
//! One rule: no connection is held while the vendor is asked. A call that waits 30 s for its model
//! would keep a connection for 30 s, and five such calls would be a pool of five, for everybody. It is
//! held by construction: a connection never leaves `database.rs`, where one statement runs on it.
//! What the rest of the server gets are values: a key's id, a session's call.

mod calls;
mod database;
mod dialect;
mod hash;
mod keys;
mod metrics;
mod open;
mod pool;
mod retention;
mod url;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use self::calls::ResultWriter;
use self::database::Database;
use self::retention::{Retention, RetentionTimes};

pub(crate) use calls::SessionCall;
pub use database::DatabaseError;
pub(crate) use hash::new_key;
pub use hash::{InvalidKey, KeyHash};
pub(crate) use keys::{AddError, Key, KeyId, Keys, RevokeError};
pub(crate) use metrics::DatabaseMetrics;
pub(crate) use open::DatabaseOptions;
pub use open::OpenError;
pub use url::DatabaseUrl;

/// The name of the key that `--api-key` adds.
pub(crate) const DEMO: &str = "demo";

/// How long a key command waits for the database: a person waits with it, and servers have it in use.
const KEY_COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// What a server needs to know of its sessions.
#[derive(Debug, Clone)]
pub(crate) struct SessionOptions {
    pub(crate) database: DatabaseOptions,
    /// The key that a database without keys gets.
    pub(crate) first_key: KeyHash,
    /// How long results are kept; for ever without it.
    pub(crate) retention: Option<Duration>,
    /// The longest that a call can take: a session is kept that much longer, for its last result.
    pub(crate) longest_call: Duration,
}

/// What the server has of its database.
#[derive(Debug)]
pub(crate) struct Sessions {
    database: Arc<Database>,
    results: ResultWriter,
    retention: Retention,
}

impl Sessions {
    /// Opens the database and makes its tables, and adds the first key if it has no key at all.
    ///
    /// # Errors
    /// When the database cannot be reached, or is not one that this program can use.
    pub(crate) async fn open(options: &SessionOptions, metrics: DatabaseMetrics) -> Result<Self, OpenError> {
        let database = Arc::new(open::open(&options.database, metrics.clone()).await?);
        if Keys::new(&database)
            .add_first(DEMO, &options.first_key)
            .await
            .map_err(|cause| OpenError::FirstUse { cause })?
        {
            tracing::info!("the database has no keys yet: added the one of --api-key, named {DEMO}");
        }
        let kept = RetentionTimes::new(options.retention, options.longest_call);
        let retention = Retention::new(database.clone(), kept, metrics.clone());
        let results = ResultWriter::new(database.clone(), metrics);
        Ok(Sessions { database, results, retention })
    }

    /// The id of the key with this hash, unless it was revoked. Every call asks the database: an answer
    /// that is kept would let a revoked key in for as long as it is kept.
    pub(crate) async fn check_key(&self, sent: &KeyHash) -> Result<Option<KeyId>, DatabaseError> {
        Keys::new(&self.database).check(sent).await
    }

    /// A call that is to be one of the session of this name. Sessions belong to their key: the same name
    /// under another key is another session. Nothing is written before [`SessionCall::begin`].
    pub(crate) fn call(&self, name: &str, key: Option<&KeyId>, request_id: &str, model: &str) -> SessionCall {
        self.results.call(name, key, request_id, model)
    }

    /// Sets the gauges of the pool to what they are now.
    pub(crate) fn count_connections(&self) {
        self.database.count_connections();
    }

    /// Waits until the results of all calls are stored, and closes the database, but not beyond
    /// `deadline`.
    pub(crate) async fn finish(&self, deadline: Instant) {
        if timeout_at(deadline, self.results.finish()).await.is_err() {
            tracing::warn!(lost = self.results.waiting(), "the results of some calls could not be stored in time");
        }
        // A row that is not removed now is removed by the next server.
        let _ = timeout_at(deadline, self.retention.finish()).await;
        // Who does not close in time is closed by the end of the process.
        let _ = timeout_at(deadline, self.database.close()).await;
    }
}

/// A database as the key commands have it: no sessions, one connection.
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
