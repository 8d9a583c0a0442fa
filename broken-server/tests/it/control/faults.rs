//! Every fault at every endpoint, and what is tried again.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Response;

use super::{NEVER, STREAM, WHOLE};
use crate::support::{Client, TestServer, unreachable_vendor, vendor};

const GAP: Duration = Duration::from_millis(20);

/// What a client gets, how often the vendor is asked, how the request is counted.
type Expected = (u16, u64, &'static str);

/// Rows of fixed-server's table (fixed-server/tests/it/faults.rs), as they are there: of a stream, and of a
/// whole answer. After the first token nothing is tried again; of a whole answer the client has nothing yet.
const TABLE: [(&str, Expected, Expected); 16] = [
    ("slow-headers=300ms", (200, 1, "success"), (200, 1, "success")),
    ("status=500", (502, 2, "upstream_failure"), (502, 2, "upstream_failure")),
    ("status=503;retry-after=900", (502, 1, "upstream_failure"), (502, 1, "upstream_failure")),
    ("status=503;first=1", (200, 2, "success"), (200, 2, "success")),
    ("status=400", (400, 1, "upstream_rejected"), (400, 1, "upstream_rejected")),
    ("status=408", (408, 2, "upstream_rejected"), (408, 2, "upstream_rejected")),
    ("status=429;retry-after=900", (429, 1, "upstream_rejected"), (429, 1, "upstream_rejected")),
    ("status=429;retry-after=1;first=1", (200, 2, "success"), (200, 2, "success")),
    ("hang", (502, 2, "call_timeout"), (502, 2, "call_timeout")),
    ("hang;first=1", (200, 2, "success"), (200, 2, "success")),
    ("reset", (502, 2, "upstream_failure"), (502, 2, "upstream_failure")),
    ("hang-after=2", (200, 1, "stream_error"), (502, 2, "call_timeout")),
    ("reset-after=2", (200, 1, "stream_error"), (502, 2, "upstream_failure")),
    ("close-after=2", (200, 1, "stream_error"), (502, 2, "upstream_failure")),
    ("malformed-after=2", (200, 1, "stream_error"), (502, 2, "upstream_failure")),
    ("error-event-after=0;first=1", (200, 2, "success"), (200, 2, "success")),
];

/// Whether an endpoint streams.
const ENDPOINTS: [(&str, bool); 4] =
    [(STREAM, true), (WHOLE, false), ("/v1/chat/completions", true), ("/api/v1/chat/completions", false)];

/// Two attempts each, so that two time limits are all that a cell has to wait for.
const FLAGS: [&str; 10] = [
    "--attempts",
    "2",
    "--queue-timeout",
    "1s",
    "--call-timeout",
    "2500ms",
    "--first-token-timeout",
    "2500ms",
    "--idle-timeout",
    "2500ms",
];

#[tokio::test]
async fn every_fault_at_every_endpoint_has_its_status_attempts_and_outcome() {
    let cells = TABLE.iter().flat_map(|row| ENDPOINTS.map(|endpoint| cell(row, endpoint)));
    let wrong: Vec<_> = join_all(cells).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong in one cell of the table, if anything is.
async fn cell((fault, streamed, whole): &(&str, Expected, Expected), (path, streams): (&str, bool)) -> Option<String> {
    let expected = if streams { *streamed } else { *whole };
    let mock = vendor(4, GAP, GAP).await;
    let server = TestServer::start("none", &mock.url(), &FLAGS);
    let client = server.client();
    let request = client.post(path, streams).header("x-mock-fault", *fault).header("x-request-id", "cell");
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let fit = fits(expected, answer, streams).await;

    let counted = counted(&client, expected.2).await;
    let attempts = mock.ledger().attempts_by_request_id.get("cell").copied().unwrap_or(0);
    let retried = client.metric("llm_retries_total").await;
    let was = (status, attempts, expected.2);
    let right = was == expected && counted == (1.0, 1.0) && retried == (attempts - 1) as f64;
    (!right || fit.is_err()).then(|| {
        let text = format!("{path} (stream: {streams}) with {fault}: expected {expected:?}");
        format!("{text}, was ({status}, {attempts}), counted {counted:?}, {retried} retries, {fit:?}")
    })
}

/// How many requests ended, and how many of them like this.
async fn counted(client: &Client, outcome: &str) -> (f64, f64) {
    crate::support::until("an outcome", async || client.ended().await > 0.0).await;
    (client.ended().await, client.outcomes(outcome).await)
}

/// Whether the body is what its outcome says.
async fn fits((status, _, outcome): Expected, answer: Response, streams: bool) -> Result<(), String> {
    let text = answer.text().await.map_err(|error| format!("the body broke: {error}"))?;
    let good = match (status, outcome) {
        (200, "success") if streams => text.ends_with("data: [DONE]\n\n") && !text.contains("event: error"),
        (200, "success") => text.contains("\"choices\""),
        (200, _) => text.matches("event: error\ndata: {\"error\":").count() == 1 && !text.contains("[DONE]"),
        (502, _) => text.contains("\"type\":\"upstream_failure\""),
        _ => text.contains("\"error\""),
    };
    if good { Ok(()) } else { Err(text) }
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_asked_again_and_then_a_502() {
    let server = TestServer::start("none", &unreachable_vendor().await, &["--attempts", "2"]);
    let client = server.client();
    for path in [STREAM, WHOLE] {
        assert_eq!(client.post(path, false).send().await.unwrap().status(), 502);
    }
    assert_eq!(client.metric("llm_retries_total").await, 2.0);
    assert_eq!(client.outcomes("upstream_failure").await, 2.0);
}

/// Where the wait would leave no room for the attempt, it is not made, and not waited for.
#[tokio::test]
async fn no_attempt_is_made_that_the_deadline_leaves_no_room_for() {
    let mock = vendor(1, NEVER, NEVER).await;
    let flags = ["--sla", "2s", "--call-timeout", "1s", "--queue-timeout", "500ms"];
    let server = TestServer::start("none", &mock.url(), &flags);
    let asked = Instant::now();
    let request = server.client().chat().header("x-mock-fault", "status=503;retry-after=2");
    assert_eq!(request.send().await.unwrap().status(), 502);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(mock.ledger().started, 1);
}

/// Three attempts a request would be three times the load in an outage.
#[tokio::test]
async fn an_outage_is_met_with_little_more_than_the_load() {
    const REQUESTS: u64 = 60;
    let mock = vendor(1, NEVER, NEVER).await;
    let server = TestServer::start("none", &mock.url(), &["--retry-budget", "20", "--retry-reserve", "1"]);
    let client = server.client();
    join_all((0..REQUESTS).map(|_| client.whole().header("x-mock-fault", "status=503").send())).await;
    let (started, allowed) = (mock.ledger().started, REQUESTS + REQUESTS / 5 + 10);
    assert!(started <= allowed, "{started} attempts, {allowed} allowed");
    let (made, refused) = (client.metric("llm_retries_total").await, client.metric("llm_retries_refused_total").await);
    assert_eq!(made, (started - REQUESTS) as f64);
    assert!(made >= 10.0 && refused > 0.0, "{made} made, {refused} refused: this test has no teeth");
}
