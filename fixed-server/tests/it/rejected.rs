//! Rejected calls store nothing, and do not keep others out.

use std::time::Duration;

use mock_llm::MockLlm;

use crate::database::{TestDatabase, on_every_database};
use crate::server::{STREAM, Server, error_type};

const COMPLETIONS: &str = "/v1/chat/completions";
const SESSION: &str = "x-session-id";
const NEVER: Duration = Duration::from_secs(600);

on_every_database![a_rejected_call_stores_nothing];

/// Calls rejected for their user or for the queue store nothing, on any route.
async fn a_rejected_call_stores_nothing(database: TestDatabase) {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await.unwrap();
    let common = ["--database-url", database.url.as_str(), "--max-in-flight", "1", "--max-queued", "0"];
    let user = Server::start(&mock.url(), &[&common[..], &["--user-max-in-flight", "1"]].concat()).await;
    let full = Server::start(&mock.url(), &common).await;
    let begun = "SELECT name, CAST(calls AS TEXT) FROM sessions ORDER BY name";
    let mut running = Vec::new();
    for (server, name, kind) in [(&user, "user", "user_limit"), (&full, "full", "overloaded")] {
        running.push(server.post(STREAM).header(SESSION, name).send().await.unwrap());
        for path in [STREAM, "/llm"] {
            for refused in ["new", name] {
                let answer = server.post(path).header(SESSION, refused).send().await.unwrap();
                assert_eq!((answer.status().as_u16(), error_type(answer).await.as_str()), (429, kind), "{path}");
            }
        }
    }
    // A key is another user, for which only the one server has a permit.
    let answer = full.post(COMPLETIONS).header(SESSION, "new").send().await.unwrap();
    assert_eq!(error_type(answer).await, "overloaded");
    assert_eq!(database.rows(begun).await, ["full 1", "user 1"]);
    assert_eq!(database.rows("SELECT outcome FROM results").await, Vec::<String>::new());
    drop(running);
    database.until("SELECT outcome FROM results", &["disconnected", "disconnected"]).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_table_of_addresses_does_not_reject_keys() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--user-rate-limit", "2/1h", "--max-users", "5"]).await;
    let from = async |host: u8| {
        let client = gateway::http_client().local_address(std::net::IpAddr::from([127, 0, 0, host]));
        let asked = server.post("/llm").build().unwrap();
        client.build().unwrap().execute(asked).await.unwrap()
    };
    for host in 10..15 {
        assert_eq!(from(host).await.status(), 200);
    }
    let refused = from(15).await;
    assert_eq!((refused.status().as_u16(), error_type(refused).await.as_str()), (429, "user_limit"));
    assert_eq!(from(10).await.status(), 200, "it is tracked, and has a call left");
    for _ in 0..2 {
        assert_eq!(server.post(COMPLETIONS).send().await.unwrap().status(), 200);
    }
    assert_eq!(server.post(COMPLETIONS).send().await.unwrap().status(), 429, "a key has its own limit");
    assert_eq!(server.metric("llm_users").await, 6.0);
}
