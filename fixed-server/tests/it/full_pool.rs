use std::sync::mpsc;
use std::time::Duration;

use mock_llm::MockLlm;
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

use crate::server::{STREAM, Server};

/// With tokio's blocking pool full, whoever fills it: streams flow, what was looked up before is at
/// hand, and `/health` says within its bound what is wrong.
#[test]
fn a_full_blocking_pool_stops_nothing_that_was_looked_up_before() {
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let gap = Duration::from_millis(5);
        let mock = MockLlm::builder().tokens(3).ttft(gap).inter_token(gap).start().await.unwrap();
        let server = Server::start(&mock.url(), &[]).await;
        let before = [server.get("/debug/resolve").await, server.get("/debug/read-file").await];

        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let held = spawn_blocking(move || {
            started.send(()).unwrap();
            let _ = released.recv();
        });
        has_started.await.unwrap();

        let after = [server.get("/debug/resolve").await, server.get("/debug/read-file").await];
        for (before, after) in before.iter().zip(&after) {
            assert_eq!((&before["addresses"], &before["bytes"]), (&after["addresses"], &after["bytes"]));
            assert_eq!(after["status"], "ok");
        }
        let text = server.post(STREAM).send().await.unwrap().text().await.unwrap();
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
        let health: Value = server.get("/health").await;
        assert_eq!(health["status"], "unhealthy", "{health}");

        drop(release);
        held.await.unwrap();
        assert_ne!(server.get("/health").await["status"], "unhealthy");
    });
}
