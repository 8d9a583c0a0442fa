//! Exactly one outcome for each request.

use std::time::Duration;

use mock_llm::MockLlm;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::server::{STREAM, Server, eventually};

/// Requests of every kind at once: vendors' faults, a queue that is too short, clients that leave at
/// any moment. Each ends in one outcome, and nothing is held at the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_of_the_outcomes_is_the_number_of_requests() {
    const REQUESTS: u64 = 200;
    let gap = Duration::from_millis(5);
    let mock = MockLlm::builder().tokens(10).ttft(gap).inter_token(gap).start().await.unwrap();
    let flags = ["--max-in-flight", "20", "--max-queued", "60", "--queue-timeout", "400ms", "--call-timeout", "500ms"];
    let more = ["--first-token-timeout", "500ms", "--idle-timeout", "300ms", "--allow-mock-headers"];
    let server = Server::start(&mock.url(), &[&flags[..], &more[..]].concat()).await;
    let faults =
        [None, Some("status=503"), Some("status=400"), Some("reset-after=3"), Some("hang-after=2"), Some("hang"), None];
    let paths = [STREAM, "/llm", "/v1/chat/completions"];
    // One client leaves for certain while its call is under way; of those below it depends on the machine.
    let leaving = tokio::spawn(server.post(STREAM).header("x-mock-fault", "hang").send());
    server.until("llm_concurrent_calls", 1.0).await;
    leaving.abort();
    let mut clients = JoinSet::new();
    for number in 0..REQUESTS {
        let mut request = server.post(paths[number as usize % paths.len()]);
        if let Some(fault) = faults[number as usize % faults.len()] {
            request = request.header("x-mock-fault", fault);
        }
        // Every fourth loses its patience, some of them before there is an answer.
        let patience = if number % 4 == 0 { Duration::from_millis(number % 90) } else { Duration::from_secs(60) };
        clients.spawn(timeout(patience, async { request.send().await?.text().await }));
    }
    let mut answered = 0;
    while let Some(client) = clients.join_next().await {
        answered += u64::from(client.unwrap().is_ok());
    }
    assert!(answered >= REQUESTS * 3 / 4, "{answered} had the patience");
    server.until("llm_open_streams", 0.0).await;
    server.until("llm_concurrent_calls", 0.0).await;
    server.until("llm_queue_length", 0.0).await;
    // A client may have left before its request was there. What was begun has ended, each once.
    let begun = server.metric("llm_calls_total").await;
    server.until("llm_outcomes_total", begun).await;
    assert_eq!(server.metric("llm_outcomes_total").await, begun, "one of them ended twice");
    assert!(begun >= answered as f64 && begun <= (REQUESTS + 1) as f64, "{begun} begun, {answered} answered");
    eventually("the vendor's calls end", || mock.ledger().active == 0).await;
    for outcome in ["success", "upstream_failure", "upstream_rejected", "stream_error", "disconnected"] {
        assert!(server.outcomes(outcome).await > 0.0, "no {outcome}: this test has no teeth");
    }
}

#[tokio::test]
async fn what_is_refused_as_malformed_is_no_request_for_the_model() {
    let mock = MockLlm::builder().start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let refused = server.post(STREAM).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(server.metric("llm_outcomes_total").await, 0.0);
    assert_eq!(server.metric("http_requests_total{route=\"/chat/stream\",status=\"400\"").await, 1.0);
}
