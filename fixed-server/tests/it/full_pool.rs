//! A full blocking pool.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

use crate::server::{STREAM, Server};

/// While tokio's blocking pool is full, streams flow, cached look-ups are served, and `/health` reports the full pool
/// within its bound.
#[test]
fn cached_look_ups_are_served_while_the_blocking_pool_is_full() {
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

        // `/health` takes its whole bound, a second. Cached answers do not wait for the pool.
        let look_ups = async {
            for _ in 0..5 {
                let after = [server.get("/debug/resolve").await, server.get("/debug/read-file").await];
                for (before, after) in before.iter().zip(&after) {
                    assert_eq!((&before["addresses"], &before["bytes"]), (&after["addresses"], &after["bytes"]));
                    assert_eq!(after["status"], "ok");
                }
            }
            Instant::now()
        };
        let health = async { (server.get("/health").await, Instant::now()) };
        let (looked_up, (health, answered)) = tokio::join!(look_ups, health);
        assert_eq!(health["status"], "unhealthy", "{health}");
        assert!(looked_up < answered, "later by {:?}", looked_up - answered);
        let text = server.post(STREAM).send().await.unwrap().text().await.unwrap();
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");

        drop(release);
        held.await.unwrap();
        assert_ne!(server.get("/health").await["status"], "unhealthy");
    });
}

/// A probe for each request would start a thread for each.
#[test]
fn concurrent_health_checks_share_one_probe_of_the_pool() {
    const ASKED: usize = 200;
    let threads = Arc::new(AtomicUsize::new(0));
    let counted = threads.clone();
    let started = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let runtime = Builder::new_current_thread().enable_all().on_thread_start(started).build().unwrap();
    runtime.block_on(async {
        let server = Server::start("http://127.0.0.1:9", &[]).await;
        let before = threads.load(Ordering::Relaxed);
        let answers = join_all((0..ASKED).map(|_| server.get("/health"))).await;
        assert!(answers.iter().all(|answer| answer["checks"]["thread_pool_response_time"].as_f64() >= Some(0.01)));
        let made = threads.load(Ordering::Relaxed) - before;
        // More than one if a probe begins before the last one's thread is back in the pool.
        assert!((1..=5).contains(&made), "{made} threads for {ASKED} requests");
    });
}

#[tokio::test]
async fn hold_threads_exists_only_with_mock_headers() {
    let path = "/debug/hold-threads";
    let mock = MockLlm::builder().start().await.unwrap();
    let closed = Server::start(&mock.url(), &[]).await;
    assert_eq!(closed.post(path).body(r#"{"seconds":2}"#).send().await.unwrap().status(), 404);

    let open = Server::start(&mock.url(), &["--allow-mock-headers"]).await;
    assert_eq!(open.get("/health").await["status"], "healthy");
    assert_eq!(open.post(path).body(r#"{"seconds":0}"#).send().await.unwrap().status(), 400);
    let held = open.post(path).body(r#"{"seconds":2}"#).send().await.unwrap();
    assert_eq!(held.status(), 200);
    assert_eq!(open.get("/health").await["status"], "unhealthy");
}
