//! How long results and sessions are kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::query;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::{Database, DatabaseError, now_ms};
use super::metrics::DatabaseMetrics;

/// Most rows removed by one statement, except for a few that ended in the same millisecond. Calls that begin a session
/// wait for it, for some milliseconds.
const BATCH: usize = 500;

/// How often the database is checked. One in memory can be full in seconds.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
const IN_MEMORY_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// How long rows are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetentionTimes {
    /// Results, after the end of their call; forever if None.
    results: Option<Duration>,
    /// Sessions, after the start of their last call: longer by the longest call, whose result is still to come.
    sessions: Option<Duration>,
}

impl RetentionTimes {
    /// `retention` for results, and longer by `longest_call` for sessions.
    pub(super) fn new(retention: Option<Duration>, longest_call: Duration) -> Self {
        RetentionTimes { results: retention, sessions: retention.map(|kept| kept + longest_call) }
    }

    fn check_interval(self, in_memory: bool) -> Duration {
        let usual = if in_memory { IN_MEMORY_CHECK_INTERVAL } else { CHECK_INTERVAL };
        // A short retention is exceeded by at most a tenth.
        self.results.map_or(usual, |kept| usual.min(kept / 10).max(Duration::from_millis(10)))
    }
}

/// Removes expired rows in a background task.
pub(super) struct Retention {
    task: TaskTracker,
    closing: CancellationToken,
}

impl Retention {
    /// Starts the task.
    pub(super) fn new(database: Arc<Database>, kept: RetentionTimes, metrics: DatabaseMetrics) -> Self {
        let (task, closing) = (TaskTracker::new(), CancellationToken::new());
        let stop = closing.clone();
        task.spawn(async move {
            stop.run_until_cancelled(Sweeper { database, kept, metrics }.run()).await;
        });
        task.close();
        Retention { task, closing }
    }

    /// Stops the task and waits for its end. Expired rows that remain stay.
    pub(super) async fn finish(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

impl fmt::Debug for Retention {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Retention").finish_non_exhaustive()
    }
}

struct Sweeper {
    database: Arc<Database>,
    kept: RetentionTimes,
    metrics: DatabaseMetrics,
}

impl Sweeper {
    /// Failures do not stop it: they are counted and logged where the statement runs.
    async fn run(&self) {
        let pause = self.kept.check_interval(self.database.is_in_memory());
        loop {
            sleep(pause).await;
            let _ = self.remove_expired().await;
            let _ = self.free_space().await;
        }
    }

    async fn remove_expired(&self) -> Result<(), DatabaseError> {
        let (Some(results), Some(sessions)) = (self.kept.results, self.kept.sessions) else { return Ok(()) };
        while self.remove(RESULTS, before(results)).await? >= BATCH {}
        while self.remove(SESSIONS, before(sessions)).await? >= BATCH {}
        Ok(())
    }

    /// Removes the oldest rows of a database in memory while it is nearly full, sessions without a key first: clients
    /// without a key must not fill it at the expense of those with one.
    async fn free_space(&self) -> Result<(), DatabaseError> {
        while self.database.is_nearly_full().await? {
            let mut removed = 0;
            for oldest in [RESULTS, KEYLESS_SESSIONS, SESSIONS] {
                removed += self.remove(oldest, i64::MAX).await?;
                if removed >= BATCH {
                    break;
                }
            }
            if removed == 0 {
                // It is full of keys, which only the operator removes.
                return Ok(());
            }
        }
        Ok(())
    }

    async fn remove(&self, statement: &'static str, before_ms: i64) -> Result<usize, DatabaseError> {
        let statement = query(statement).bind(before_ms).bind(BATCH as i64);
        let removed = self.database.write(statement).await?.len();
        self.metrics.rows_removed(removed as u64);
        Ok(removed)
    }
}

fn before(kept: Duration) -> i64 {
    now_ms().saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX))
}

/// Results have no primary key, and SQLite and PostgreSQL name a row's id differently.
const RESULTS: &str = "DELETE FROM results WHERE ended_ms <= (SELECT MAX(ended_ms) FROM \
     (SELECT ended_ms FROM results WHERE ended_ms < $1 ORDER BY ended_ms LIMIT $2) AS oldest) RETURNING 1";

/// The age is compared twice, because a session may have had a call meanwhile.
const SESSIONS: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE last_used_ms < $1 \
     AND NOT EXISTS (SELECT 1 FROM results WHERE results.session_id = sessions.id) \
     ORDER BY last_used_ms LIMIT $2) AND last_used_ms < $1 RETURNING 1";

const KEYLESS_SESSIONS: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE last_used_ms < $1 \
     AND key_id IS NULL AND NOT EXISTS (SELECT 1 FROM results WHERE results.session_id = sessions.id) \
     ORDER BY last_used_ms LIMIT $2) AND last_used_ms < $1 RETURNING 1";

#[cfg(test)]
mod tests {
    use super::super::open::{DatabaseOptions, open};
    use super::*;

    async fn sweeper() -> Sweeper {
        let wait = Duration::from_secs(5);
        let options = DatabaseOptions { url: None, pool_size: 2, acquire_timeout: wait, recycle_time: None };
        let database = Arc::new(open(&options, DatabaseMetrics::default()).await.unwrap());
        Sweeper {
            database,
            kept: RetentionTimes { results: None, sessions: None },
            metrics: DatabaseMetrics::default(),
        }
    }

    /// Adds sessions with names of 100 KB, begun one millisecond after the other, of this key, if any.
    async fn fill(sweeper: &Sweeper, from: usize, count: usize, key: Option<&str>) {
        for number in from..from + count {
            let statement = query(
                "INSERT INTO sessions (id, name, key_id, created_ms, last_used_ms, calls) VALUES ($1, $2, $3, $4, $4, 1)",
            );
            let name = format!("{number}{}", "x".repeat(100_000));
            let statement = statement.bind(number.to_string()).bind(name).bind(key.map(str::to_owned));
            sweeper.database.write(statement.bind(number as i64)).await.unwrap();
        }
    }

    async fn count(sweeper: &Sweeper, which: &'static str) -> usize {
        sweeper.database.read(query(which)).await.unwrap().len()
    }

    #[tokio::test]
    async fn a_full_database_in_memory_removes_sessions_of_keys_last() {
        let sweeper = sweeper().await;
        let key = "INSERT INTO keys (id, name, prefix, hash, created_ms) VALUES ('k', 'k', 'k', 'k', 1)";
        sweeper.database.write(query(key)).await.unwrap();
        fill(&sweeper, 0, 10, Some("k")).await;
        // Each name is stored twice, in the table and in its index: 200 KB, of 64 MiB.
        fill(&sweeper, 10, 280, None).await;
        let result = "INSERT INTO results (session_id, request_id, outcome, duration_ms, ended_ms) \
                      SELECT id, id, 'success', 1, 1 FROM sessions";
        sweeper.database.write(query(result)).await.unwrap();
        assert!(sweeper.database.is_nearly_full().await.unwrap(), "it is not full: nothing is tested");
        sweeper.free_space().await.unwrap();
        assert!(!sweeper.database.is_nearly_full().await.unwrap());
        assert_eq!(count(&sweeper, "SELECT 1 FROM sessions WHERE key_id IS NOT NULL").await, 10);
        fill(&sweeper, 1000, 50, None).await;
    }

    #[tokio::test]
    async fn one_statement_removes_at_most_a_batch() {
        let sweeper = sweeper().await;
        let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) \
                    INSERT INTO sessions SELECT i, i, NULL, i, i, 1 FROM n";
        sweeper.database.write(query(rows)).await.unwrap();
        assert_eq!(sweeper.remove(SESSIONS, 1001).await.unwrap(), BATCH);
        let left = "SELECT 1 FROM sessions WHERE last_used_ms <= 500";
        assert_eq!(count(&sweeper, left).await, 0, "the oldest are removed first");
        assert_eq!(sweeper.remove(SESSIONS, 1001).await.unwrap(), BATCH);
        assert_eq!(sweeper.remove(SESSIONS, 1001).await.unwrap(), 0, "younger rows stay");
    }
}
