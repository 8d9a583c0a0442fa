//! What a session's call leaves behind, and the task that stores it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::query;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use wire::completion::Usage;
use wire::outcome::Outcome;

use super::database::{Database, DatabaseError, now_ms, text};
use super::keys::KeyId;
use super::metrics::DatabaseMetrics;

/// ResultWriter that may wait to be stored, of under 1 KiB each. It is what a second of a busy server leaves
/// behind: more wait only when the database is down or falls behind for good, and then a longer queue
/// would be memory and no help.
const RESULTS_WAITING_MAX: usize = 1024;

/// One call within a session. Clones are the same call: whoever learns something about it adds it here.
#[derive(Debug, Clone)]
pub(crate) struct SessionCall(Arc<Call>);

struct Call {
    /// What the client calls its session.
    name: String,
    key: Option<KeyId>,
    request_id: String,
    model: String,
    /// The session's id, once the call is one of it.
    session_id: OnceCell<String>,
    usage: OnceLock<Usage>,
    database: Arc<Database>,
    results: Sender<CallResult>,
    metrics: DatabaseMetrics,
}

/// How a call ended, as it is stored.
#[derive(Debug)]
struct CallResult {
    call: Arc<Call>,
    outcome: Outcome,
    duration: Duration,
    ended_ms: i64,
}

impl SessionCall {
    /// Finds the session, or makes it, and counts the call. Done once, however often it is asked for, as
    /// attempts do. A call that was refused has not asked for it, and leaves nothing behind.
    ///
    /// # Errors
    /// [`DatabaseError`]; the next one to ask tries again.
    pub(crate) async fn begin(&self) -> Result<(), DatabaseError> {
        self.0.session_id.get_or_try_init(|| self.0.find_or_make_session()).await?;
        Ok(())
    }

    /// The vendor has said how many tokens the call took.
    pub(crate) fn usage(&self, usage: Usage) {
        // A vendor says it once; of one that repeats itself the first word counts.
        let _ = self.0.usage.set(usage);
    }

    /// The call has ended: its result is handed to the task that stores it. This never waits, because
    /// it runs where nothing can: in the `drop` of a call whose client left.
    pub(crate) fn ended(&self, outcome: Outcome, duration: Duration) {
        if !self.0.session_id.initialized() {
            return;
        }
        let result = CallResult { call: self.0.clone(), outcome, duration, ended_ms: now_ms() };
        if self.0.results.try_send(result).is_err() {
            self.0.metrics.result_dropped();
            tracing::debug!(request_id = self.0.request_id, "a session's result was dropped: too many wait");
        }
    }
}

impl Call {
    /// One statement, so that of many first calls at once one makes the session and the others find it.
    async fn find_or_make_session(&self) -> Result<String, DatabaseError> {
        let statement = query(
            "INSERT INTO sessions (id, name, key_id, created_ms, last_used_ms, calls) VALUES ($1, $2, $3, $4, $4, 1) \
             ON CONFLICT (name, COALESCE(key_id, '')) \
             DO UPDATE SET last_used_ms = excluded.last_used_ms, calls = sessions.calls + 1 RETURNING id",
        );
        let statement = statement.bind(Uuid::now_v7().to_string()).bind(self.name.clone());
        let statement = statement.bind(self.key.as_ref().map(|key| key.as_str().to_owned())).bind(now_ms());
        let rows = self.database.write(statement).await?;
        Ok(text(rows.first().ok_or(sqlx::Error::RowNotFound)?, "id")?)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").field("name", &self.name).field("request_id", &self.request_id).finish()
    }
}

/// Stores results, in a task of its own.
pub(super) struct ResultWriter {
    database: Arc<Database>,
    sender: Sender<CallResult>,
    metrics: DatabaseMetrics,
    task: TaskTracker,
    closing: CancellationToken,
}

impl ResultWriter {
    /// Begins the task.
    pub(super) fn new(database: Arc<Database>, metrics: DatabaseMetrics) -> Self {
        let (sender, receiver) = channel(RESULTS_WAITING_MAX);
        let closing = CancellationToken::new();
        let task = TaskTracker::new();
        task.spawn(store_all(database.clone(), receiver, closing.clone(), metrics.clone()));
        task.close();
        ResultWriter { database, sender, metrics, task, closing }
    }

    /// A call that is to be one of this session's.
    pub(super) fn call(&self, name: &str, key: Option<&KeyId>, request_id: &str, model: &str) -> SessionCall {
        SessionCall(Arc::new(Call {
            name: name.to_owned(),
            key: key.cloned(),
            request_id: request_id.to_owned(),
            model: model.to_owned(),
            session_id: OnceCell::new(),
            database: self.database.clone(),
            usage: OnceLock::new(),
            results: self.sender.clone(),
            metrics: self.metrics.clone(),
        }))
    }

    /// Waits until all results are stored. None is taken from here on.
    pub(super) async fn finish(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }

    /// How many results wait.
    pub(super) fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }
}

impl fmt::Debug for ResultWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ResultWriter").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

/// Stores one result after the other, so that they never take more than one connection from the calls
/// that wait for theirs. Told to close, it stores what is there and ends.
async fn store_all(
    database: Arc<Database>,
    mut results: Receiver<CallResult>,
    closing: CancellationToken,
    metrics: DatabaseMetrics,
) {
    loop {
        let result = match closing.run_until_cancelled(results.recv()).await {
            Some(result) => result,
            None => {
                results.close();
                results.recv().await
            }
        };
        let Some(result) = result else { return };
        if let Err(error) = store(&database, &result).await {
            metrics.result_dropped();
            tracing::debug!(request_id = result.call.request_id, %error, "a session's result was not stored");
        }
    }
}

async fn store(database: &Database, result: &CallResult) -> Result<(), DatabaseError> {
    let CallResult { call, outcome, duration, ended_ms } = result;
    let session_id = call.session_id.get().cloned();
    let tokens = |count: fn(&Usage) -> u64| call.usage.get().and_then(|usage| i64::try_from(count(usage)).ok());
    let statement = query(
        "INSERT INTO results \
         (session_id, request_id, outcome, model, prompt_tokens, completion_tokens, duration_ms, ended_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let statement = statement.bind(session_id).bind(call.request_id.clone()).bind(outcome.as_str());
    let statement = statement.bind(call.model.clone()).bind(tokens(|usage| usage.prompt_tokens));
    let statement = statement.bind(tokens(|usage| usage.completion_tokens));
    let duration_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    database.write(statement.bind(duration_ms).bind(*ended_ms)).await?;
    Ok(())
}
