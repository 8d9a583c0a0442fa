//! Sessions, and the results of their calls.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::database::{TestDatabase, on_every_database};
use crate::server::{STREAM, Server, eventually};

const COMPLETIONS: &str = "/v1/chat/completions";
const SESSION: &str = "x-session-id";

on_every_database![
    many_first_calls_make_one_session,
    a_session_belongs_to_its_key,
    results_are_stored_however_a_call_ends,
    no_connection_is_held_during_a_call,
    shutdown_waits_until_results_are_stored,
    rows_over_the_retention_are_removed,
];

async fn answered(request: RequestBuilder) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap();
}

/// Two servers as replicas, and concurrent first calls of a session.
async fn many_first_calls_make_one_session(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    // Fifty writers on one file take time on a slow machine.
    let flags = ["--database-url", &database.url, "--database-acquire-timeout", "9s"];
    let servers = [Server::start(&mock.url(), &flags).await, Server::start(&mock.url(), &flags).await];
    let paths = [STREAM, "/llm"];
    join_all((0..50).map(|number| answered(servers[number % 2].post(paths[number / 2 % 2]).header(SESSION, "s-1"))))
        .await;
    assert_eq!(database.rows("SELECT name, CAST(calls AS TEXT) FROM sessions").await, ["s-1 50"]);
    database.until("SELECT CAST(COUNT(*) AS TEXT) FROM results", &["50"]).await;
    database.until("SELECT DISTINCT outcome FROM results", &["success"]).await;
    for server in &servers {
        assert_eq!(server.metric("session_results_dropped_total").await, 0.0);
    }
}

async fn a_session_belongs_to_its_key(database: TestDatabase) {
    let (alice, bob) = (database.add_key("alice"), database.add_key("bob"));
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--database-url", &database.url]).await;
    for key in [&alice, &alice, &bob] {
        answered(server.post_as(COMPLETIONS, key).header(SESSION, "same")).await;
    }
    answered(server.post("/llm").header(SESSION, "same")).await;
    let sessions = "SELECT keys.name, CAST(sessions.calls AS TEXT) FROM sessions \
                    LEFT JOIN keys ON keys.id = sessions.key_id WHERE sessions.name = 'same' \
                    ORDER BY COALESCE(keys.name, '')";
    assert_eq!(database.rows(sessions).await, ["null 1", "alice 2", "bob 1"]);
    answered(server.post("/llm")).await;
    assert_eq!(database.rows("SELECT name FROM sessions").await.len(), 3, "a call without a session id has no session");
}

async fn results_are_stored_however_a_call_ends(database: TestDatabase) {
    let gap = Duration::from_millis(5);
    let mock = MockLlm::builder().tokens(4).ttft(gap).inter_token(gap).start().await.unwrap();
    let flags = ["--database-url", &database.url, "--allow-mock-headers"];
    let server = Server::start(&mock.url(), &flags).await;
    let call = |path, id| server.post(path).header(SESSION, "s").header("x-request-id", id);
    let usage = json!({ "model": "small", "stream": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "hi" }] });

    answered(call("/llm", "1-whole")).await;
    answered(call(COMPLETIONS, "2-stream").json(&usage)).await;
    assert_eq!(call(STREAM, "3-failed").header("x-mock-fault", "status=503").send().await.unwrap().status(), 502);
    answered(call(STREAM, "4-broken").header("x-mock-fault", "reset-after=2")).await;
    let disconnecting = tokio::spawn(call(STREAM, "5-left").header("x-mock-fault", "hang").send());
    eventually("the vendor has the call", || mock.ledger().active == 1).await;
    disconnecting.abort();

    let results = "SELECT request_id, outcome, model, CAST(completion_tokens AS TEXT) FROM results ORDER BY request_id";
    let expected = [
        "1-whole success mock-llm 4",
        "2-stream success small 4",
        "3-failed upstream_failure mock-llm null",
        "4-broken stream_error mock-llm null",
        "5-left disconnected mock-llm null",
    ];
    database.until(results, &expected).await;
    let odd = "SELECT request_id FROM results WHERE duration_ms < 0 OR duration_ms > 60000 OR ended_ms < 1000000000000";
    assert_eq!(database.rows(odd).await, Vec::<String>::new());
    // Five tokens of five milliseconds each.
    assert_eq!(
        database.rows("SELECT outcome FROM results WHERE request_id = '2-stream' AND duration_ms >= 15").await.len(),
        1
    );
}

/// One connection and many concurrent calls. If it were held during a call, all other calls would time out waiting for it,
/// and so would the check of a key.
async fn no_connection_is_held_during_a_call(database: TestDatabase) {
    const CALLS: u64 = 20;
    let call_takes = Duration::from_secs(3);
    let mock = MockLlm::builder().tokens(1).ttft(call_takes).start().await.unwrap();
    let flags = ["--database-url", &database.url, "--database-pool-size", "1"];
    let server = Server::start(&mock.url(), &flags).await;
    let paths = [STREAM, "/llm", COMPLETIONS];
    let calls = (0..CALLS as usize).map(|number| answered(server.post(paths[number % 3]).header(SESSION, "s")));
    let meanwhile = async {
        eventually("the vendor has all calls", || mock.ledger().active == CALLS).await;
        server.until("database_connections_in_use", 0.0).await;
        let asked = Instant::now();
        assert_eq!(server.get_as("/v1/models", "demo-key").send().await.unwrap().status(), 200);
        let took = asked.elapsed();
        assert!(took < call_takes / 5, "a key was checked in {took:?}, with calls of {call_takes:?} in flight");
        // sqlx returns a connection to the pool a moment after its statement.
        server.until("database_connections_in_use", 0.0).await;
        assert_eq!(mock.ledger().active, CALLS, "the calls had ended: nothing is tested");
    };
    tokio::join!(join_all(calls), meanwhile);
    assert_eq!(server.metric("database_connections").await, 1.0);
    assert_eq!(server.metric("database_acquire_timeouts_total").await, 0.0);
}

/// The result is stored when the server has stopped, even if that takes longer than its streams.
async fn shutdown_waits_until_results_are_stored(database: TestDatabase) {
    let gap = Duration::from_millis(50);
    let mock = MockLlm::builder().tokens(4).ttft(Duration::ZERO).inter_token(gap).start().await.unwrap();
    let flags = ["--database-url", &database.url, "--database-acquire-timeout", "8s", "--shutdown-grace", "9s"];
    let server = Server::start(&mock.url(), &flags).await;
    let stream = server.post(STREAM).header(SESSION, "s").send().await.unwrap();
    let lock = database.lock().await;
    server.shut_down();
    assert!(stream.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    // The last connection is closed, and the server still runs: it waits for the result.
    while tokio::net::TcpStream::connect(server.addr).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(lock);
    server.stopped().await;
    assert_eq!(database.rows("SELECT outcome FROM results").await, ["success"]);
}

/// Results are removed first. Their session is kept longer by the longest call, for a result that may still come.
async fn rows_over_the_retention_are_removed(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let kept = Server::start(&mock.url(), &["--database-url", &database.url]).await;
    answered(kept.post("/llm").header(SESSION, "s")).await;
    database.until("SELECT outcome FROM results", &["success"]).await;
    let flags = ["--database-url", &database.url, "--session-retention", "100ms"];
    let other = Server::start(&mock.url(), &flags).await;
    database.until("SELECT outcome FROM results", &[]).await;
    assert_eq!(database.rows("SELECT name FROM sessions").await, ["s"]);
    assert_eq!(
        (other.metric("session_rows_removed_total").await, kept.metric("session_rows_removed_total").await),
        (1.0, 0.0)
    );

    let shorter = ["--queue-timeout", "100ms", "--call-timeout", "200ms", "--sla", "300ms"];
    let shorter = [&flags[..], &shorter, &["--idle-timeout", "300ms", "--total-timeout", "500ms"]].concat();
    let third = Server::start(&mock.url(), &shorter).await;
    database.until("SELECT name FROM sessions", &[]).await;
    assert_eq!(third.metric("session_rows_removed_total").await, 1.0);
    answered(third.post("/llm").header(SESSION, "s")).await;
    assert_eq!(third.metric("session_results_dropped_total").await, 0.0);
}

#[tokio::test]
async fn an_invalid_session_id_is_named_in_the_error() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let long = [b'x'; 129];
    for path in [STREAM, "/llm", COMPLETIONS] {
        for odd in [b"".as_slice(), b"a b", b"caf\xe9", &long] {
            let refused = server.post(path).header(SESSION, odd).send().await.unwrap();
            assert_eq!(refused.status(), 400, "{path} {odd:?}");
            let body: serde_json::Value = refused.json().await.unwrap();
            assert_eq!(body["error"]["param"], "X-Session-ID", "{path} {odd:?}");
        }
        answered(server.post(path).header(SESSION, &long[..128])).await;
    }
    assert_eq!((mock.ledger().started, server.metric("llm_calls_total").await), (3, 3.0));
}
