//! The program as a process: its log, descriptors and memory.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;
use process::{Launch, ServerProcess};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Longer than anything here takes on a busy machine; only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(30);

fn launch(upstream: &str) -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_fixed-server")).on_free_port().args(["--upstream", upstream]).keep_lines(10_000)
}

/// Resident memory in bytes.
fn memory(program: &ServerProcess) -> u64 {
    program.usage().unwrap().rss_bytes
}

/// The lines of the log that are `wanted`, once there are `count` of them.
async fn log_lines(program: &ServerProcess, count: usize, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let lines: Vec<_> = program.log().into_iter().filter(|line| wanted(line)).collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(Instant::now() < deadline, "{} lines of {count}: {:?}", lines.len(), program.last_lines());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn client() -> Client {
    gateway::http_client().timeout(TIMEOUT).build().unwrap()
}

/// A server that wrote its log on the event loop would block after some 150 requests.
#[tokio::test]
async fn an_unread_log_blocks_nothing_and_counts_lost_lines() {
    let mock = MockLlm::builder().fault("status=400").start().await.unwrap();
    let program = launch(&mock.url()).unread_once_ready().start(TIMEOUT).await.unwrap();
    let client = client();
    let asked = json!({ "prompt": "hi" });
    // Each writes two lines of some 200 bytes: more than the pipe and the queue hold.
    for _ in 0..30 {
        let asking = (0..100).map(|_| client.post(format!("{}/llm", program.url())).json(&asked).send());
        assert!(join_all(asking).await.into_iter().all(|answer| answer.unwrap().status() == 400));
    }
    let metrics = client.get(format!("{}/metrics", program.url())).send().await.unwrap().text().await.unwrap();
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("log_lines_dropped_total ")).unwrap();
    assert!(dropped.parse::<u64>().unwrap() > 0, "this test has no teeth");
}

/// One JSON object for each request and each failed attempt, with the request's id.
#[tokio::test]
async fn every_request_and_failed_attempt_is_logged_with_its_id() {
    let mock = MockLlm::builder().tokens(2).fault("status=503;first=1").start().await.unwrap();
    let program = launch(&mock.url()).args(["--log-format", "json"]).start(TIMEOUT).await.unwrap();
    let request = client().post(format!("{}/chat/stream", program.url())).header("x-request-id", "traced-1");
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    request.json(&body).send().await.unwrap().text().await.unwrap();
    let lines = log_lines(&program, 2, |line| line.contains(r#""traced-1""#)).await;
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["request_id"] == "traced-1"), "{lines:?}");
    let [attempt, request] = &lines[..] else { unreachable!() };
    assert_eq!((&attempt["message"], &attempt["attempt"]), (&json!("an attempt failed"), &json!(1)));
    assert_eq!(attempt["outcome"], "upstream_failure");
    assert!(attempt["took_ms"].is_u64() && attempt["retry_in_ms"].is_u64(), "{attempt}");
    assert_eq!((&request["message"], &request["outcome"]), (&json!("request ended"), &json!("success")));
    assert_eq!(request["attempts"], 2);
    assert!(request["took_ms"].is_u64() && request["queued_ms"].is_u64(), "{request}");
    assert_eq!(mock.ledger().attempts_by_request_id["traced-1"], 2, "the vendor got the id");
}

/// More clients than descriptors: all accepted ones can call the vendor, and the others wait to be accepted.
#[tokio::test]
async fn no_call_fails_at_the_limit_of_descriptors() {
    const CLIENTS: usize = 300;
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(Duration::from_millis(300));
    let mock = mock.start().await.unwrap();
    let launch = launch(&mock.url()).args(["--database-pool-size", "1"]).descriptors(200);
    let program = launch.start(TIMEOUT).await.unwrap();
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    // Without idle connections, which would use up descriptors.
    let client = gateway::http_client().timeout(Duration::from_secs(60)).pool_max_idle_per_host(0).build().unwrap();
    let stream = async || {
        let answer = client.post(format!("{}/chat/stream", program.url())).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for (status, text) in join_all((0..CLIENTS).map(|_| stream())).await {
        assert!(status == 200 && text.ends_with("data: [DONE]\n\n"), "{status} {text}");
    }
    let peak = mock.ledger().peak_active;
    assert!((30..=70).contains(&peak), "{peak} at once, of 66 that there are descriptors for");
    let metrics = client.get(format!("{}/metrics", program.url())).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\naccept_errors_total 0\n"), "{metrics}");

    let warnings = log_lines(&program, 1, |line| line.contains("file descriptors")).await;
    let warning = &warnings[0];
    assert!(warning.contains("--max-connections 20000") && warning.contains("available=200"), "{warning}");
}

/// 500 clients send 1 MiB each, all but the last bytes.
#[tokio::test]
async fn unfinished_bodies_take_bounded_memory_and_release_it() {
    const CLIENTS: usize = 500;
    const MIB: usize = 1024 * 1024;
    const MEMORY_MAX: u64 = 300_000_000;
    let program = launch("http://127.0.0.1:9").start(TIMEOUT).await.unwrap();
    let addr = program.addr();
    let head = format!(
        "POST /chat/stream HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {MIB}\r\n\r\n"
    );
    let request = Arc::new([head.as_bytes(), &vec![b' '; MIB - 10]].concat());
    // Twice: memory that is freed must not be kept for good.
    for _ in 0..2 {
        let clients = (0..CLIENTS).map(|_| {
            let (addr, request) = (addr, request.clone());
            async move {
                let mut client = TcpStream::connect(addr).await.unwrap();
                // A rejected client may find its connection closed.
                let _ = client.write_all(&request).await;
                client
            }
        });
        let clients = join_all(clients).await;
        let held = memory(&program);
        assert!(held < MEMORY_MAX, "{held} bytes");
        drop(clients);
        let deadline = Instant::now() + Duration::from_secs(30);
        while memory(&program) > MEMORY_MAX / 3 {
            assert!(Instant::now() < deadline, "{} bytes are kept of {held}", memory(&program));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
