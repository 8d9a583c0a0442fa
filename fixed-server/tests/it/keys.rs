//! Keys: added, used, revoked.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;
use serde_json::json;

use crate::database::{TestDatabase, on_every_database};
use crate::server::{Server, error_type};

const COMPLETIONS: &str = "/v1/chat/completions";
const BOTH: [&str; 2] = [COMPLETIONS, "/api/v1/chat/completions"];

on_every_database![
    a_revoked_key_is_rejected_and_its_streams_finish,
    the_demo_key_is_added_only_to_a_database_without_keys,
    concurrent_starts_share_tables_and_the_demo_key,
];

async fn status(server: &Server, path: &str, key: &str) -> u16 {
    server.post_as(path, key).send().await.unwrap().status().as_u16()
}

/// Other processes add and revoke the key: the server caches nothing.
async fn a_revoked_key_is_rejected_and_its_streams_finish(database: TestDatabase) {
    let (alice, bob) = (database.add_key("alice"), database.add_key("bob"));
    let gap = Duration::from_millis(100);
    let mock = MockLlm::builder().tokens(10).ttft(Duration::ZERO).inter_token(gap).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--database-url", &database.url]).await;
    assert_eq!(status(&server, COMPLETIONS, "demo-key").await, 401, "there are real keys");

    let body = json!({ "model": "m", "stream": true, "messages": [{ "role": "user", "content": "hi" }] });
    let stream = server.post_as(COMPLETIONS, &alice).json(&body).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    database.revoke_key("alice");
    for path in BOTH {
        assert_eq!(status(&server, path, &alice).await, 401, "{path}");
    }
    assert_eq!(server.get_as("/v1/models", &alice).send().await.unwrap().status(), 401);
    assert_eq!(mock.ledger().completed, 0, "the stream ended before the key was revoked: nothing is tested");
    assert!(stream.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    assert_eq!(status(&server, COMPLETIONS, &bob).await, 200, "the other key is still valid");

    // The name is free again, for another key.
    let new = database.add_key("alice");
    assert_eq!((status(&server, COMPLETIONS, &new).await, status(&server, COMPLETIONS, &alice).await), (200, 401));
    let known = database.rows("SELECT name FROM keys ORDER BY created_ms, id").await;
    assert_eq!(known, ["alice", "bob", "alice"]);
    for row in database.rows("SELECT id, name, prefix, hash FROM keys").await {
        assert!(!row.contains(&new) && !row.contains("demo"), "a key is stored: {row}");
    }
}

async fn the_demo_key_is_added_only_to_a_database_without_keys(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let flags = ["--database-url", &database.url, "--api-key", "first"];
    let server = Server::start(&mock.url(), &flags).await;
    assert_eq!(
        (status(&server, COMPLETIONS, "first").await, status(&server, COMPLETIONS, "demo-key").await),
        (200, 401)
    );
    database.revoke_key("demo");
    drop(server);

    // A revoked key counts as a key.
    let again = Server::start(&mock.url(), &flags).await;
    assert_eq!(status(&again, COMPLETIONS, "first").await, 401);
}

async fn concurrent_starts_share_tables_and_the_demo_key(database: TestDatabase) {
    let list = || database.key_command(&["list"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let processes: Vec<_> = (0..16).map(|_| list()).collect();
    for process in processes {
        let listed = process.wait_with_output().unwrap();
        assert!(listed.status.success(), "{listed:?}");
    }

    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let url = mock.url();
    let flags = ["--database-url", &database.url];
    let servers = join_all((0..6).map(|_| Server::start(&url, &flags))).await;
    for server in &servers {
        assert_eq!(status(server, COMPLETIONS, "demo-key").await, 200);
    }
    assert_eq!(database.rows("SELECT name FROM keys").await, ["demo"]);
}

#[tokio::test]
async fn an_impossible_key_is_rejected_without_a_look_up() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let long = [b"Bearer ".as_slice(), &[b'x'; 513]].concat();
    let odd: [&[u8]; 8] = [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic demo-key",
        b"demo-key",
        b"Bearer \xff\xfe",
        "Bearer schlüssel".as_bytes(),
        &long,
    ];
    for header in odd {
        let request = server.keyless_post(COMPLETIONS).header("authorization", header).send().await.unwrap();
        assert_eq!((request.status().as_u16(), error_type(request).await.as_str()), (401, "invalid_request_error"));
    }
    assert_eq!(server.keyless_post(COMPLETIONS).send().await.unwrap().status(), 401);
    for good in ["bearer demo-key", "Bearer  demo-key "] {
        let request = server.keyless_post(COMPLETIONS).header("authorization", good).send().await.unwrap();
        assert_eq!(request.status(), 200, "{good}");
    }
    assert_eq!(mock.ledger().started, 2);
}

/// A database in memory ends with its last connection. Here connections are replaced after a moment, and clients
/// disconnect while theirs is in use.
#[tokio::test]
async fn the_private_database_outlives_its_connections() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let flags = ["--database-recycle-time", "1ms", "--database-pool-size", "1"];
    let server = Server::start(&mock.url(), &flags).await;
    let began = Instant::now();
    for timeout in (0..40).map(|step| Duration::from_micros(100 * step)) {
        let _ = tokio::time::timeout(timeout, server.post(COMPLETIONS).send()).await;
        assert_eq!(status(&server, COMPLETIONS, "demo-key").await, 200, "after {:?}", began.elapsed());
    }
}

#[test]
fn key_commands_report_what_is_wrong() {
    let database = TestDatabase::sqlite();
    assert_eq!(database.add_key("alice").len(), 68);
    for (args, expected) in [
        (&["add", "alice"][..], "already"),
        (&["add", "a b"], "visible ASCII"),
        (&["add", "key_1"], "not beginning with"),
        (&["revoke", "nobody"], "no key of the id or name 'nobody'"),
    ] {
        let refused = database.key(args);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0), "{args:?}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{args:?}: {said}");
    }
    for odd in ["", "hunter 2", "schlüssel", &"x".repeat(513)] {
        let refused = database.key(&["add", "odd", "--key", odd]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{odd}");
        assert!(said.contains("--key") && (odd.is_empty() || !said.contains(odd)), "{odd}: {said}");
    }
    let listed = String::from_utf8(database.key(&["list"]).stdout).unwrap();
    assert_eq!((listed.lines().count(), listed.contains("alice")), (2, true), "{listed}");
}

/// By default SQLite makes it readable by all.
#[tokio::test]
async fn a_database_file_is_readable_only_by_its_owner() {
    use std::os::unix::fs::PermissionsExt;

    let dir = conformance::temp_dir::TempDir::new().unwrap();
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let url = format!("sqlite:{}", dir.path().join("a b.db").display());
    let server = Server::start(&mock.url(), &["--database-url", &url]).await;
    assert_eq!(status(&server, COMPLETIONS, "demo-key").await, 200);
    let mut modes = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        modes.push((entry.file_name().into_string().unwrap(), mode));
    }
    modes.sort();
    let expected = ["a b.db", "a b.db-shm", "a b.db-wal"].map(|name| (name.to_owned(), 0o600));
    assert_eq!(modes, expected);
}
