//! Keys, counts of their calls, and the connections that these need.

use super::*;
use crate::cli::Cli;

const WAIT: Duration = Duration::from_millis(500);

fn key() -> KeyHash {
    KeyHash::of("key").unwrap()
}

async fn database(flags: &[&str]) -> Result<Database, OpenError> {
    let cli = Cli::read([&["broken-server", "--mistake", "none"], flags].concat()).unwrap();
    Database::open(&cli.settings.database, WAIT, &[key()], DatabasePoolMetrics::default()).await
}

async fn calls(database: &Database) -> i64 {
    let mut connection = database.acquire(WAIT).await.unwrap();
    let calls = sqlx::query_as("SELECT calls FROM broken_server_keys WHERE hash = $1").bind(key().as_str().to_owned());
    let calls: (i64,) = calls.fetch_one(&mut *connection).await.unwrap();
    calls.0
}

#[tokio::test]
async fn a_connection_that_is_held_is_missing_for_all_others() {
    let database = database(&[]).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..5 + 10 {
        held.push(database.count_call(Some(&key())).await.unwrap());
    }
    assert!(matches!(database.count_call(Some(&key())).await, Err(Failure::Database(_))), "the sixteenth");
    assert!(matches!(database.has_key(&key()).await, Err(Failure::Database(_))), "a look-up needs one too");
    assert!(database.count_call(None).await.is_ok(), "without a key none is needed");
    held.pop();
    assert!(database.has_key(&key()).await.unwrap());
}

#[tokio::test]
async fn calls_one_after_another_are_counted_with_one_connection() {
    let database = database(&[]).await.unwrap();
    for _ in 0..30 {
        drop(database.count_call(Some(&key())).await.unwrap());
        // sqlx takes a moment to return a connection.
        while database.pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(calls(&database).await, 30);
    assert_eq!(database.pool.size(), 1);
}

#[tokio::test]
async fn only_keys_of_the_flag_are_known() {
    let database = database(&[]).await.unwrap();
    assert!(database.has_key(&key()).await.unwrap());
    assert!(!database.has_key(&KeyHash::of("another").unwrap()).await.unwrap());
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named() {
    let error = database(&["--database-url", "sqlite:/nowhere/keys.db"]).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot open the database sqlite:/nowhere/keys.db: "), "{error}");
}
