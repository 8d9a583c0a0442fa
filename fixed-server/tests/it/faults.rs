//! Every fault at every endpoint.

use std::time::Duration;

use futures_util::future::join_all;
use mock_llm::MockLlm;
use reqwest::Response;
use serde_json::json;

use crate::server::{STREAM, Server};

const MS: Duration = Duration::from_millis(1);

/// What a client gets, how often the vendor is asked, how the request is counted.
type Expected = (u16, u64, &'static str);

/// Every fault of the mock, with what is expected of a stream and of a whole answer. The tokens of a
/// fault in mid-answer are on their way to the client of a stream, so nothing can be tried again; of a
/// whole answer the client has nothing yet.
const TABLE: [(&str, Expected, Expected); 27] = [
    ("slow-headers=0s", (200, 1, "success"), (200, 1, "success")),
    ("slow-headers=300ms", (200, 1, "success"), (200, 1, "success")),
    ("drip=50ms", (200, 1, "success"), (200, 1, "success")),
    ("drip=60s", (200, 1, "stream_error"), (502, 2, "call_timeout")),
    ("ignore-disconnect", (200, 1, "success"), (200, 1, "success")),
    ("status=500", (502, 2, "upstream_failure"), (502, 2, "upstream_failure")),
    ("status=503", (502, 2, "upstream_failure"), (502, 2, "upstream_failure")),
    ("status=503;retry-after=900", (502, 1, "upstream_failure"), (502, 1, "upstream_failure")),
    ("status=503;first=1", (200, 2, "success"), (200, 2, "success")),
    ("status=400", (400, 1, "upstream_rejected"), (400, 1, "upstream_rejected")),
    // About the server's own key: a client can do nothing about it.
    ("status=401", (502, 1, "upstream_failure"), (502, 1, "upstream_failure")),
    ("status=404", (404, 1, "upstream_rejected"), (404, 1, "upstream_rejected")),
    ("status=422", (422, 1, "upstream_rejected"), (422, 1, "upstream_rejected")),
    ("status=408", (408, 2, "upstream_rejected"), (408, 2, "upstream_rejected")),
    ("status=429", (429, 2, "upstream_rejected"), (429, 2, "upstream_rejected")),
    ("status=429;retry-after=900", (429, 1, "upstream_rejected"), (429, 1, "upstream_rejected")),
    ("status=429;retry-after=1;first=1", (200, 2, "success"), (200, 2, "success")),
    ("hang", (502, 2, "call_timeout"), (502, 2, "call_timeout")),
    ("hang;first=1", (200, 2, "success"), (200, 2, "success")),
    ("reset", (502, 2, "upstream_failure"), (502, 2, "upstream_failure")),
    ("close", (502, 2, "upstream_failure"), (502, 2, "upstream_failure")),
    ("hang-after=2", (200, 1, "stream_error"), (502, 2, "call_timeout")),
    ("reset-after=2", (200, 1, "stream_error"), (502, 2, "upstream_failure")),
    ("close-after=2", (200, 1, "stream_error"), (502, 2, "upstream_failure")),
    ("cut-after=0", (502, 2, "upstream_failure"), (502, 2, "upstream_failure")),
    ("malformed-after=2", (200, 1, "stream_error"), (502, 2, "upstream_failure")),
    ("error-event-after=0;first=1", (200, 2, "success"), (200, 2, "success")),
];

/// Whether an endpoint streams, and the body that it is asked with.
const ENDPOINTS: [(&str, bool); 5] = [
    (STREAM, true),
    ("/llm", false),
    ("/v1/chat/completions", true),
    ("/v1/chat/completions", false),
    ("/api/v1/chat/completions", true),
];

/// Two attempts each, so that two time limits are all that a cell has to wait for.
const FLAGS: [&str; 11] = [
    "--allow-mock-headers",
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_at_every_endpoint_has_its_status_attempts_and_outcome() {
    let cells = TABLE.iter().flat_map(|row| ENDPOINTS.map(|endpoint| cell(row, endpoint)));
    let wrong: Vec<_> = join_all(cells).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong in one cell of the table, if anything is.
async fn cell((fault, streamed, whole): &(&str, Expected, Expected), (path, streams): (&str, bool)) -> Option<String> {
    let expected = if streams { *streamed } else { *whole };
    let mock = MockLlm::builder().tokens(4).ttft(20 * MS).inter_token(20 * MS).start().await.unwrap();
    let server = Server::start(&mock.url(), &FLAGS).await;
    let body = json!({ "model": "mock-llm", "stream": streams, "messages": [{ "role": "user", "content": "hi" }] });
    let request = server.post(path).json(&body).header("x-mock-fault", *fault).header("x-request-id", "cell");
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let fit = fits(expected, answer, streams).await;

    server.until("llm_outcomes_total", 1.0).await;
    let attempts = mock.ledger().attempts_by_request_id.get("cell").copied().unwrap_or(0);
    let counted = server.outcomes(expected.2).await;
    let retried = server.metric("llm_retries_total").await;
    let right = (status, attempts) == (expected.0, expected.1) && counted == 1.0 && retried == (attempts - 1) as f64;
    (!right || fit.is_err()).then(|| {
        let text = format!("{path} (stream: {streams}) with {fault}: expected {expected:?}");
        format!(
            "{text}, was ({status}, {attempts}), its outcome was counted {counted} times, {retried} retries, {fit:?}"
        )
    })
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
    let nobody = "http://127.0.0.1:1";
    let server = Server::start(nobody, &["--attempts", "2"]).await;
    for path in [STREAM, "/llm"] {
        assert_eq!(server.post(path).send().await.unwrap().status(), 502);
    }
    assert_eq!(server.metric("llm_retries_total").await, 2.0);
    assert_eq!(server.outcomes("upstream_failure").await, 2.0);
}
