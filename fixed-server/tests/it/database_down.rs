//! A database that is down, locked or out of connections.

use std::time::Duration;

use futures_util::future::join_all;
use mock_llm::MockLlm;
use reqwest::Response;

use crate::database::{TestDatabase, on_every_database};
use crate::server::{STREAM, Server, error_type, eventually};

const COMPLETIONS: &str = "/v1/chat/completions";
const SESSION: &str = "x-session-id";

on_every_database![
    a_failed_database_affects_only_calls_that_need_it,
    writes_time_out_while_the_database_is_locked,
    statements_that_hang_do_not_exhaust_the_pool,
    a_result_that_cannot_be_stored_is_counted,
    a_connection_closed_by_the_database_is_not_used,
];

async fn assert_unavailable(answer: Response) {
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("retry-after")), (503, true));
    assert_eq!(error_type(answer).await, "database_unavailable");
}

async fn a_failed_database_affects_only_calls_that_need_it(mut database: TestDatabase) {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let flags = ["--database-url", &database.url, "--database-acquire-timeout", "300ms"];
    let server = Server::start(&mock.url(), &flags).await;
    assert_eq!(server.post(COMPLETIONS).send().await.unwrap().status(), 200);

    database.fail().await;
    assert_unavailable(server.post(COMPLETIONS).send().await.unwrap()).await;
    assert_unavailable(server.get_as("/v1/models", "demo-key").send().await.unwrap()).await;
    assert_eq!(
        server.post_as(COMPLETIONS, "k\u{e4}y").send().await.unwrap().status(),
        401,
        "it is no valid key anyway"
    );
    for path in ["/health", "/ready", "/debug/health-sync", "/debug/health-async", "/metrics"] {
        assert_eq!(server.get_as(path, "demo-key").send().await.unwrap().status(), 200, "{path}");
    }
    for path in [STREAM, "/llm"] {
        assert_eq!(server.post(path).send().await.unwrap().status(), 200, "{path} needs neither key nor session");
    }
    assert_eq!(server.metric("llm_outcomes_total").await, 3.0, "rejected requests are no calls");
    assert_eq!(server.metric("http_requests_total{route=\"/v1/chat/completions\",status=\"503\"").await, 1.0);

    database.recover().await;
    assert_eq!(server.post(COMPLETIONS).send().await.unwrap().status(), 200, "it answers again");
    assert_eq!(server.metric("llm_errors_total").await, 0.0);
}

/// Another client's transaction stays open. Writes fail after a bounded time. Keys are checked meanwhile: reads need no
/// lock.
async fn writes_time_out_while_the_database_is_locked(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let flags = ["--database-url", &database.url, "--database-acquire-timeout", "1s", "--database-pool-size", "2"];
    let server = Server::start(&mock.url(), &flags).await;
    let lock = database.lock().await;
    let writes = join_all((0..6).map(|_| server.post(STREAM).header(SESSION, "s").send()));
    let (writes, reads) = tokio::join!(writes, join_all((0..6).map(|_| server.post(COMPLETIONS).send())));
    for answer in writes {
        assert_unavailable(answer.unwrap()).await;
    }
    for answer in reads {
        assert_eq!(answer.unwrap().status(), 200);
    }
    // One write at a time gets to run and fails at the lock; the others time out waiting for it. With PostgreSQL it
    // runs longer than the acquire timeout. With SQLite it runs as long, so a write that comes a moment later may
    // run after it.
    let runs_max = if database.url.starts_with("postgres") { 1.0 } else { 2.0 };
    let (timed_out, ran) =
        (server.metric("database_acquire_timeouts_total").await, server.metric("database_failures_total").await);
    assert_eq!(timed_out + ran, 6.0, "each is counted once: {timed_out} timed out, {ran} ran");
    assert!((1.0..=runs_max).contains(&ran), "{ran} ran, one after the other");
    drop(lock);
    assert_eq!(server.post(STREAM).header(SESSION, "s").send().await.unwrap().status(), 200);
    assert_eq!(mock.ledger().started, 7);
    server.until("database_connections_in_use", 0.0).await;
}

async fn a_result_that_cannot_be_stored_is_counted(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(Duration::from_millis(300)).start();
    let mock = mock.await.unwrap();
    let flags = ["--database-url", &database.url, "--database-acquire-timeout", "200ms"];
    let server = Server::start(&mock.url(), &flags).await;
    let stream = server.post(STREAM).header(SESSION, "s").send().await.unwrap();
    let lock = database.lock().await;
    assert!(stream.text().await.unwrap().ends_with("data: [DONE]\n\n"), "the call itself is not affected");
    eventually("the vendor's call ends", || mock.ledger().completed == 1).await;
    server.until("session_results_dropped_total", 1.0).await;
    drop(lock);
    assert_eq!(database.rows("SELECT outcome FROM results").await, Vec::<String>::new());
    assert_eq!(server.outcomes("success").await, 1.0);
}

/// Not even right after its last use.
async fn a_connection_closed_by_the_database_is_not_used(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--database-url", &database.url]).await;
    for stored in ["1", "2", "3"] {
        assert_eq!(server.post(COMPLETIONS).header(SESSION, "s").send().await.unwrap().status(), 200);
        database.until("SELECT CAST(COUNT(*) AS TEXT) FROM results", &[stored]).await;
        server.until("database_connections_in_use", 0.0).await;
        database.hang_up().await;
    }
    assert_eq!(server.metric("database_failures_total").await, 0.0);
}

/// A statement that hangs is given up together with its connection. If connections were returned to the pool, all of them
/// would soon be waiting for an answer.
async fn statements_that_hang_do_not_exhaust_the_pool(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let flags = ["--database-url", &database.url, "--database-acquire-timeout", "300ms", "--database-pool-size", "2"];
    let server = Server::start(&mock.url(), &flags).await;
    let lock = database.lock().await;
    for _ in 0..3 {
        assert_unavailable(server.post(STREAM).header(SESSION, "s").send().await.unwrap()).await;
    }
    assert_eq!(server.post(COMPLETIONS).send().await.unwrap().status(), 200);
    drop(lock);
}
