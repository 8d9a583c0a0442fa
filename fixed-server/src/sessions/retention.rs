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

/// Rows that one statement removes at most, or a few more that ended in the same millisecond: calls that
/// begin a session wait in line behind it, for some milliseconds.
const BATCH: usize = 500;

/// How often the database is looked at. The one in memory more often: it can be filled in seconds.
const LOOK_EVERY: Duration = Duration::from_secs(60);
const LOOK_IN_MEMORY_EVERY: Duration = Duration::from_millis(500);

/// What is kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetentionTimes {
    /// Results, after their call; for ever without it.
    results: Option<Duration>,
    /// A session, after its last call began: longer by the longest call, whose result is yet to come.
    sessions: Option<Duration>,
}

impl RetentionTimes {
    /// `retention` for results, and longer by `longest_call` for sessions.
    pub(super) fn new(retention: Option<Duration>, longest_call: Duration) -> Self {
        RetentionTimes { results: retention, sessions: retention.map(|kept| kept + longest_call) }
    }

    fn look_every(self, in_memory: bool) -> Duration {
        let usual = if in_memory { LOOK_IN_MEMORY_EVERY } else { LOOK_EVERY };
        // A short retention is kept to about a tenth.
        self.results.map_or(usual, |kept| usual.min(kept / 10).max(Duration::from_millis(10)))
    }
}

/// Removes what is older than it may be, in a task of its own.
pub(super) struct Retention {
    task: TaskTracker,
    closing: CancellationToken,
}

impl Retention {
    /// Begins the task.
    pub(super) fn new(database: Arc<Database>, kept: RetentionTimes, metrics: DatabaseMetrics) -> Self {
        let (task, closing) = (TaskTracker::new(), CancellationToken::new());
        let stop = closing.clone();
        task.spawn(async move {
            stop.run_until_cancelled(Sweeper { database, kept, metrics }.run()).await;
        });
        task.close();
        Retention { task, closing }
    }

    /// Waits until the task has ended. What it has not removed by now, it leaves.
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
    /// A database that fails is no reason to stop: that it does is counted and logged where it happens.
    async fn run(&self) {
        let pause = self.kept.look_every(self.database.is_in_memory());
        loop {
            sleep(pause).await;
            let _ = self.remove_expired().await;
            let _ = self.make_room().await;
        }
    }

    async fn remove_expired(&self) -> Result<(), DatabaseError> {
        let (Some(results), Some(sessions)) = (self.kept.results, self.kept.sessions) else { return Ok(()) };
        while self.remove(RESULTS, before(results)).await? >= BATCH {}
        while self.remove(SESSIONS, before(sessions)).await? >= BATCH {}
        Ok(())
    }

    /// Removes the oldest of a database in memory while it is nearly full, sessions without a key before all
    /// others: whoever needs no key to fill it must not be the reason why those with one are refused.
    async fn make_room(&self) -> Result<(), DatabaseError> {
        while self.database.is_nearly_full().await? {
            let mut removed = 0;
            for oldest in [RESULTS, KEYLESS_SESSIONS, SESSIONS] {
                removed += self.remove(oldest, i64::MAX).await?;
                if removed >= BATCH {
                    break;
                }
            }
            if removed == 0 {
                // What fills it is neither: keys, of which an operator has as many as there are.
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

/// Results have no key of their own, and no name for a row is the same in both databases.
const RESULTS: &str = "DELETE FROM results WHERE ended_ms <= (SELECT MAX(ended_ms) FROM \
     (SELECT ended_ms FROM results WHERE ended_ms < $1 ORDER BY ended_ms LIMIT $2) AS oldest) RETURNING 1";

/// Looked at once more, because a call may have come to one of them meanwhile.
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

    /// So many sessions with names of 100 KB, begun one millisecond after the other; of this key, if any.
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
    async fn a_full_memory_makes_room_and_sessions_of_keys_are_the_last_to_go() {
        let sweeper = sweeper().await;
        let key = "INSERT INTO keys (id, name, prefix, hash, created_ms) VALUES ('k', 'k', 'k', 'k', 1)";
        sweeper.database.write(query(key)).await.unwrap();
        fill(&sweeper, 0, 10, Some("k")).await;
        // Each name is stored twice, in the table and in its index: 200 KB, of 64 MiB.
        fill(&sweeper, 10, 280, None).await;
        let result = "INSERT INTO results (session_id, request_id, outcome, duration_ms, ended_ms) \
                      SELECT id, id, 'success', 1, 1 FROM sessions";
        sweeper.database.write(query(result)).await.unwrap();
        assert!(sweeper.database.is_nearly_full().await.unwrap(), "no test of it");
        sweeper.make_room().await.unwrap();
        assert!(!sweeper.database.is_nearly_full().await.unwrap());
        assert_eq!(count(&sweeper, "SELECT 1 FROM sessions WHERE key_id IS NOT NULL").await, 10);
        fill(&sweeper, 1000, 50, None).await;
    }

    #[tokio::test]
    async fn a_batch_is_all_that_goes_at_once() {
        let sweeper = sweeper().await;
        let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) \
                    INSERT INTO sessions SELECT i, i, NULL, i, i, 1 FROM n";
        sweeper.database.write(query(rows)).await.unwrap();
        assert_eq!(sweeper.remove(SESSIONS, 1001).await.unwrap(), BATCH);
        let left = "SELECT 1 FROM sessions WHERE last_used_ms <= 500";
        assert_eq!(count(&sweeper, left).await, 0, "the oldest go first");
        assert_eq!(sweeper.remove(SESSIONS, 1001).await.unwrap(), BATCH);
        assert_eq!(sweeper.remove(SESSIONS, 1001).await.unwrap(), 0, "what is younger stays");
    }
}
