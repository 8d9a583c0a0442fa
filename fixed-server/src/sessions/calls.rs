//! Calls of sessions, and the task that stores their results.

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

/// Results that may wait to be stored, of under 1 KiB each: those of one second of a busy server. More wait only if the
/// database is down or permanently too slow, and then a longer queue would not help.
const RESULTS_QUEUED_MAX: usize = 1024;

/// A call of a session. Clones are the same call.
#[derive(Debug, Clone)]
pub(crate) struct SessionCall(Arc<Call>);

struct Call {
    /// The client's name for its session.
    name: String,
    key: Option<KeyId>,
    request_id: String,
    model: String,
    /// The session's id, once the session is stored.
    session_id: OnceCell<String>,
    usage: OnceLock<Usage>,
    database: Arc<Database>,
    results: Sender<CallResult>,
    metrics: DatabaseMetrics,
}

/// The result of a call, as it is stored.
#[derive(Debug)]
struct CallResult {
    call: Arc<Call>,
    outcome: Outcome,
    duration: Duration,
    ended_ms: i64,
}

impl SessionCall {
    /// Finds or creates the session, and counts the call in it. Further attempts of the call change nothing. A rejected
    /// call never gets here, and so stores nothing.
    ///
    /// # Errors
    /// [`DatabaseError`]; the next attempt tries again.
    pub(crate) async fn begin(&self) -> Result<(), DatabaseError> {
        self.0.session_id.get_or_try_init(|| Box::pin(self.0.find_or_create_session())).await?;
        Ok(())
    }

    /// Notes how many tokens the vendor reports.
    pub(crate) fn usage(&self, usage: Usage) {
        // If it is reported twice, the first report counts.
        let _ = self.0.usage.set(usage);
    }

    /// Passes the result of an ended call to the task that stores it. This never waits: it also runs in the `drop` of a
    /// call whose client disconnected.
    pub(crate) fn ended(&self, outcome: Outcome, duration: Duration) {
        if !self.0.session_id.initialized() {
            return;
        }
        let result = CallResult { call: self.0.clone(), outcome, duration, ended_ms: now_ms() };
        if self.0.results.try_send(result).is_err() {
            self.0.metrics.result_dropped();
            tracing::debug!(request_id = self.0.request_id, "a session's result was dropped: the queue is full");
        }
    }
}

impl Call {
    /// One statement, so that of concurrent first calls one creates the session and the others find it.
    async fn find_or_create_session(&self) -> Result<String, DatabaseError> {
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

/// Stores results in a background task.
pub(super) struct ResultWriter {
    database: Arc<Database>,
    sender: Sender<CallResult>,
    metrics: DatabaseMetrics,
    task: TaskTracker,
    closing: CancellationToken,
}

impl ResultWriter {
    /// Starts the task.
    pub(super) fn new(database: Arc<Database>, metrics: DatabaseMetrics) -> Self {
        let (sender, receiver) = channel(RESULTS_QUEUED_MAX);
        let closing = CancellationToken::new();
        let task = TaskTracker::new();
        task.spawn(store_all(database.clone(), receiver, closing.clone(), metrics.clone()));
        task.close();
        ResultWriter { database, sender, metrics, task, closing }
    }

    /// A call in the session of this name.
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

    /// Waits until all results are stored, and accepts no more.
    pub(super) async fn finish(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }

    /// Results that are queued.
    pub(super) fn queued(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }
}

impl fmt::Debug for ResultWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ResultWriter").field("queued", &self.queued()).finish_non_exhaustive()
    }
}

/// Stores one result after the other, so that results never occupy more than one connection. After `closing` it stores
/// what is queued and returns.
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
