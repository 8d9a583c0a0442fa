use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::query;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::completion::Usage;

use super::database::{Database, DatabaseError, now_ms};
use crate::outcome::Outcome;
use crate::telemetry::DatabaseMetrics;

/// Results that may wait to be stored, of under 1 KiB each. It is what a second of a busy server leaves
/// behind: more wait only when the database is down or falls behind for good, and then a longer queue
/// would be memory and no help.
const RESULTS_WAITING_MAX: usize = 1024;

/// One call within a session. Clones are the same call: whoever learns something about it adds it here.
#[derive(Debug, Clone)]
pub(crate) struct SessionCall(Arc<Call>);

#[derive(Debug)]
struct Call {
    session_id: String,
    request_id: String,
    model: String,
    usage: OnceLock<Usage>,
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
    /// The vendor has said how many tokens the call took.
    pub(crate) fn usage(&self, usage: Usage) {
        // A vendor says it once; of one that repeats itself the first word counts.
        let _ = self.0.usage.set(usage);
    }

    /// The call has ended: its result is handed to the task that stores it. This never waits, because
    /// it runs where nothing can: in the `drop` of a call whose client left.
    pub(crate) fn ended(&self, outcome: Outcome, duration: Duration) {
        let result = CallResult { call: self.0.clone(), outcome, duration, ended_ms: now_ms() };
        if self.0.results.try_send(result).is_err() {
            self.0.metrics.result_dropped();
            tracing::debug!(request_id = self.0.request_id, "a session's result was dropped: too many wait");
        }
    }
}

/// Stores results, in a task of its own.
pub(super) struct Results {
    sender: Sender<CallResult>,
    metrics: DatabaseMetrics,
    task: TaskTracker,
    closing: CancellationToken,
}

impl Results {
    /// Begins the task.
    pub(super) fn new(database: Arc<Database>, metrics: DatabaseMetrics) -> Self {
        let (sender, receiver) = channel(RESULTS_WAITING_MAX);
        let closing = CancellationToken::new();
        let task = TaskTracker::new();
        task.spawn(store_all(database, receiver, closing.clone(), metrics.clone()));
        task.close();
        Results { sender, metrics, task, closing }
    }

    /// A call that begins now.
    pub(super) fn call(&self, session_id: String, request_id: &str, model: &str) -> SessionCall {
        SessionCall(Arc::new(Call {
            session_id,
            request_id: request_id.to_owned(),
            model: model.to_owned(),
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

impl fmt::Debug for Results {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Results").field("waiting", &self.waiting()).finish_non_exhaustive()
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
    let tokens = |count: fn(&Usage) -> u64| call.usage.get().and_then(|usage| i64::try_from(count(usage)).ok());
    let statement = query(
        "INSERT INTO results \
         (session_id, request_id, outcome, model, prompt_tokens, completion_tokens, duration_ms, ended_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let statement = statement.bind(call.session_id.clone()).bind(call.request_id.clone()).bind(outcome.as_str());
    let statement = statement.bind(call.model.clone()).bind(tokens(|usage| usage.prompt_tokens));
    let statement = statement.bind(tokens(|usage| usage.completion_tokens));
    let duration_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    database.write(statement.bind(duration_ms).bind(*ended_ms)).await?;
    Ok(())
}
