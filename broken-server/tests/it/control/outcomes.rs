//! Exactly one outcome for each request.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{STREAM, WHOLE};
use crate::support::{TestServer, until, vendor};

/// Requests of every kind at once: vendors' faults, a queue that is too short, clients that leave at any
/// moment. Each ends in one outcome, and nothing is held at the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_of_the_outcomes_is_the_number_of_requests() {
    const REQUESTS: u64 = 160;
    let gap = Duration::from_millis(5);
    let mock = vendor(10, gap, gap).await;
    let flags = ["--max-in-flight", "20", "--max-queued", "60", "--queue-timeout", "400ms", "--call-timeout", "500ms"];
    let more = ["--first-token-timeout", "500ms", "--idle-timeout", "300ms", "--workers", "2"];
    let server = TestServer::start("none", &mock.url(), &[&flags[..], &more[..]].concat());
    let client = server.client();
    let faults =
        [None, Some("status=503"), Some("status=400"), Some("reset-after=3"), Some("hang-after=2"), Some("hang"), None];
    let paths = [STREAM, WHOLE, "/v1/chat/completions"];
    // One client leaves for certain while its call is under way; of those below it depends on the machine.
    let leaving = tokio::spawn(client.chat().header("x-mock-fault", "hang").send());
    client.until_metric("llm_concurrent_calls", 1.0).await;
    leaving.abort();
    let mut clients = JoinSet::new();
    for number in 0..REQUESTS {
        let mut request = client.post(paths[number as usize % paths.len()], number % 2 == 0);
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
    for at_rest in ["llm_open_streams", "llm_concurrent_calls", "llm_queue_length"] {
        client.until_metric(at_rest, 0.0).await;
    }
    // A client may have left before its request was there. What was begun has ended, each once.
    let begun = client.metric("llm_calls_total").await;
    until("an outcome for each", async || client.ended().await >= begun).await;
    assert_eq!(client.ended().await, begun, "one of them ended twice");
    assert!(begun >= answered as f64 && begun <= (REQUESTS + 1) as f64, "{begun} begun, {answered} answered");
    until("the ends of the vendor's calls", async || mock.ledger().active == 0).await;
    for outcome in ["success", "upstream_failure", "upstream_rejected", "stream_error", "disconnected"] {
        assert!(client.outcomes(outcome).await > 0.0, "no {outcome}: this test has no teeth");
    }
}
