//! The ledger balances at every read, and `/metrics` agrees with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mock_llm::MockLlm;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire::ledger::Ledger;

use crate::client::{body, post, send, until};

async fn read(mock: &MockLlm, query: &str) -> Ledger {
    let path = format!("/debug/stats{query}");
    serde_json::from_value(send(mock, "GET", &path, &[], "").await.finish().await.json()).unwrap()
}

fn assert_balanced(ledger: &Ledger) {
    let ended = ledger.completed + ledger.cancelled + ledger.failed;
    assert_eq!(ledger.started, ended + ledger.active, "{ledger:?}");
    assert!(ledger.waiting <= ledger.active && ledger.active <= ledger.peak_active, "{ledger:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_balances_while_clients_disconnect_at_random() {
    const CLIENTS: u64 = 300;
    let gap = Duration::from_millis(1);
    let mock = MockLlm::builder().tokens(30).ttft(gap * 5).inter_token(gap).jitter(0.5).slots(40);
    let mock = mock.fault("cut-after=5;rate=0.2").fault("ignore-disconnect;rate=0.2").fault("hang;rate=0.1");
    let mock = Arc::new(mock.start().await.unwrap());
    let over = Arc::new(AtomicBool::new(false));

    let reader = tokio::spawn({
        let (mock, over) = (Arc::clone(&mock), Arc::clone(&over));
        async move {
            let mut reads = 0_u32;
            while !over.load(Ordering::Relaxed) {
                assert_balanced(&read(&mock, "?recent=0").await);
                reads += 1;
            }
            reads
        }
    });
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let mock = Arc::clone(&mock);
        clients.spawn(async move {
            let mut rng = fastrand::Rng::with_seed(client);
            tokio::time::sleep(Duration::from_millis(rng.u64(0..200))).await;
            let call = post(&mock, &[], &body(rng.bool())).await;
            // Some disconnect before the first token, some between two tokens; some read to the end.
            let stays = Duration::from_millis(rng.u64(0..80));
            drop(tokio::time::timeout(stays, call.read(Duration::from_secs(5))).await);
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    // A dropped request drops its generation first: wait for both.
    let received = |ledger: &Ledger| ledger.requests_by_status.values().sum::<u64>() + ledger.unanswered;
    let ledger = until(&mock, |ledger| ledger.active == 0 && received(ledger) >= ledger.started).await;
    over.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() > 10, "the ledger was read too rarely");

    assert_balanced(&ledger);
    // Clients that disconnected before the vendor had read their request have started nothing.
    assert!((CLIENTS / 2..=CLIENTS).contains(&ledger.started), "{ledger:?}");
    assert!(ledger.completed > 0 && ledger.cancelled > 0 && ledger.failed > 0, "{ledger:?}");
    assert!(received(&ledger) <= CLIENTS, "{ledger:?}");
    assert_eq!(ledger.starts.len() as u64, ledger.started);
}

#[tokio::test]
async fn a_reset_keeps_active_generations_only() {
    let mock = MockLlm::builder().tokens(2).inter_token(Duration::from_millis(1)).ttft(Duration::ZERO);
    let mock = mock.start().await.unwrap();
    post(&mock, &[("x-request-id", "a")], &body(true)).await.finish().await;
    let hung = post(&mock, &[("x-mock-fault", "hang")], &body(true)).await;
    until(&mock, |ledger| ledger.active == 1).await;

    let reset = send(&mock, "POST", "/debug/reset", &[], "").await.finish().await;
    let ledger: Ledger = serde_json::from_value(reset.json()).unwrap();
    assert_eq!((ledger.started, ledger.active, ledger.completed, ledger.tokens_sent), (1, 1, 0, 0));
    assert_eq!((ledger.starts.len(), ledger.attempts_by_request_id.len()), (0, 0));
    drop(hung);
    let ledger = until(&mock, |ledger| ledger.active == 0).await;
    assert_eq!((ledger.started, ledger.cancelled), (1, 1));
}

#[tokio::test]
async fn a_long_request_id_is_cut_in_ledger_and_response() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let (exact, long) = ("a".repeat(128), "b".repeat(60_000));
    for id in [&exact, &long, &long] {
        let answer = post(&mock, &[("x-request-id", id)], &body(true)).await.finish().await;
        assert_eq!(answer.header("x-request-id"), Some(&id[..128]));
    }
    let expected = json!({exact: 1, &long[..128]: 2});
    assert_eq!(json!(mock.ledger().attempts_by_request_id), expected);
}

#[tokio::test]
async fn recent_limits_the_lists_of_the_ledger() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    for id in ["a", "b", "c"] {
        post(&mock, &[("x-request-id", id)], &body(true)).await.finish().await;
    }
    let (long, short) = (read(&mock, "").await, read(&mock, "?recent=1").await);
    assert_eq!(long.starts.len(), 3);
    assert_eq!(short.starts, long.starts[2..]);
    assert_eq!(json!(short.attempts_by_request_id), json!({"c": 1}));
    assert_eq!((short.started, short.completed), (3, 3));
}

#[tokio::test]
async fn retries_and_early_requests_are_counted_by_request_id() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await.unwrap();
    let wait = ("x-mock-fault", "status=429;retry-after=60;first=1");
    for id in ["a", "b", "a", "a", "c"] {
        post(&mock, &[wait, ("x-request-id", id)], &body(true)).await.finish().await;
    }
    post(&mock, &[], &body(true)).await.finish().await;
    let ledger = read(&mock, "").await;
    assert_eq!((ledger.started, ledger.retried, ledger.early), (6, 2, 2));
    assert_eq!(ledger.retries, ledger.starts[2..4]);
    assert_eq!(json!(ledger.early_by_request_id), json!({"a": 2}));
}

#[tokio::test]
async fn a_request_is_early_only_until_the_quota_is_free() {
    let interval = Duration::from_millis(400);
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).quota_requests(1, interval).start().await.unwrap();
    for _ in 0..3 {
        post(&mock, &[("x-request-id", "a")], &body(true)).await.finish().await;
    }
    tokio::time::sleep(interval).await;
    post(&mock, &[("x-request-id", "a")], &body(true)).await.finish().await;
    let ledger = read(&mock, "").await;
    assert_eq!((ledger.started, ledger.refused, ledger.early), (2, 2, 1));
    assert_eq!(json!(ledger.refused_by_request_id), json!({"a": 2}));
    assert_eq!(json!(ledger.attempts_by_request_id), json!({"a": 2}));
}

#[tokio::test]
async fn connections_of_clients_are_counted_apart() {
    let mock = MockLlm::builder().start().await.unwrap();
    let mut connection = TcpStream::connect(mock.addr()).await.unwrap();
    let models = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n";
    connection.write_all(format!("{models}\r\n{models}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    connection.read_to_end(&mut answers).await.unwrap();
    let ledger = read(&mock, "").await;
    assert_eq!(json!(ledger.requests_by_status), json!({"200": 2}));
    assert_eq!((ledger.connections_opened, ledger.client_connections), (2, 1));
}

#[tokio::test]
async fn metrics_agree_with_the_ledger() {
    let mock = MockLlm::builder().tokens(20).ttft(Duration::ZERO).inter_token(Duration::from_millis(1));
    let mock = mock.start().await.unwrap();
    post(&mock, &[], &body(true)).await.finish().await;
    post(&mock, &[], &body(false)).await.finish().await;
    post(&mock, &[("x-mock-fault", "status=503")], &body(true)).await.finish().await;
    let page = send(&mock, "GET", "/metrics", &[], "").await.finish().await;
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let page = String::from_utf8(page.body).unwrap();
    for line in [
        "vllm:num_requests_running 0",
        "vllm:num_requests_waiting 0",
        "vllm:time_to_first_token_seconds_count 2",
        "vllm:inter_token_latency_seconds_count 38",
        "vllm:inter_token_latency_seconds_bucket{le=\"+Inf\"} 38",
        "vllm:prompt_tokens_total 3",
        "vllm:generation_tokens_total 40",
        "vllm:request_success_total{finished_reason=\"stop\"} 2",
        "mock_llm_generations_total{outcome=\"failed\"} 1",
        "mock_llm_answers_total{status=\"503\"} 1",
        "mock_llm_faults_total{fault=\"status\"} 1",
    ] {
        assert!(page.lines().any(|found| found == line), "no line '{line}' in\n{page}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}
