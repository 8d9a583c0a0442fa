//! Every fault of the vendor at every endpoint of the servers with limits.

use std::time::Duration;

use anyhow::ensure;
use conformance::answer::Answer;
use conformance::on_limited_servers;
use conformance::running::{COMPLETION_ROUTES, Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::vendor::ClosedPort;
use mock_llm::MockLlm;
use tokio::task::JoinSet;

on_limited_servers!(
    every_fault_has_its_status_attempts_and_outcome,
    a_closed_port_is_tried_again_and_answered_with_502
);

/// The client's status, the attempts that the vendor saw, and the outcome that is counted.
type Expected = (u16, u64, &'static str);

/// What is expected of a stream and of a whole answer. After its first token a stream cannot be retried: its
/// client has some of it. Of a whole answer the client has nothing yet.
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

/// Each endpoint, and whether it is asked for a stream.
const ENDPOINTS: [(&str, bool); 6] = [
    (STREAM_ROUTE, true),
    (WHOLE_ROUTE, false),
    (COMPLETION_ROUTES[0], true),
    (COMPLETION_ROUTES[0], false),
    (COMPLETION_ROUTES[1], true),
    (COMPLETION_ROUTES[1], false),
];

/// Two attempts each, so that no request waits for more than two time limits; and retries for all of them.
const FLAGS: [&str; 13] = [
    "--allow-mock-headers",
    "--attempts",
    "2",
    "--retry-reserve",
    "100",
    "--queue-timeout",
    "1s",
    "--call-timeout",
    "2500ms",
    "--first-token-timeout",
    "2500ms",
    "--idle-timeout",
    "2500ms",
];

async fn every_fault_has_its_status_attempts_and_outcome(server: &'static Server) -> anyhow::Result<()> {
    let mut rows = JoinSet::new();
    for row in TABLE {
        rows.spawn(check_row(server, row));
    }
    let mut wrong = Vec::new();
    while let Some(checked) = rows.join_next().await {
        wrong.extend(checked??);
    }
    ensure!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// What is wrong in one row of the table. Its requests have a server and a vendor for themselves, because the
/// outcomes are counted there.
async fn check_row(
    server: &'static Server,
    (fault, of_stream, of_whole): (&'static str, Expected, Expected),
) -> anyhow::Result<Vec<String>> {
    let gap = Duration::from_millis(20);
    let mock = MockLlm::builder().tokens(4).ttft(gap).inter_token(gap).start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    let mut requests = JoinSet::new();
    for (number, (path, streams)) in ENDPOINTS.into_iter().enumerate() {
        let body = if streams { streamed("hi") } else { whole("hi") };
        let request = running.post(path, &body).header("x-mock-fault", fault).header("x-request-id", id(number));
        requests.spawn(async move { (number, Answer::to(request).await) });
    }
    let mut wrong = Vec::new();
    while let Some(answered) = requests.join_next().await {
        let (number, answer) = answered?;
        let (path, streams) = ENDPOINTS[number];
        let expected = if streams { of_stream } else { of_whole };
        let answer = answer?;
        let attempts = mock.ledger().attempts_by_request_id.get(&id(number)).copied().unwrap_or(0);
        let fit = fits(expected, &answer, streams);
        if (answer.status, attempts) != (expected.0, expected.1) || fit.is_err() {
            let was = format!("was ({}, {attempts}), {fit:?}", answer.status);
            wrong.push(format!("{path} (stream: {streams}) with {fault}: expected {expected:?}, {was}"));
        }
    }
    if let Err(error) = check_counted(&running, [of_stream, of_whole]).await {
        wrong.push(format!("{fault}: {error:#}"));
    }
    Ok(wrong)
}

/// The request id of the request to this endpoint.
fn id(endpoint: usize) -> String {
    format!("endpoint-{endpoint}")
}

/// Whether the body is what its outcome says.
fn fits((status, _, outcome): Expected, answer: &Answer, streams: bool) -> Result<(), String> {
    let text = answer.text();
    let good = match (status, outcome) {
        (200, "success") if streams => text.ends_with("data: [DONE]\n\n") && !text.contains("event: error"),
        (200, "success") => text.contains("\"choices\""),
        (200, _) => text.matches("event: error\ndata: {\"error\":").count() == 1 && !text.contains("[DONE]"),
        (502, _) => text.contains("\"type\":\"upstream_failure\""),
        _ => text.contains("\"error\""),
    };
    if good && answer.truncated.is_none() { Ok(()) } else { Err(format!("{:?}: {text}", answer.truncated)) }
}

/// Checks what the server has counted: half of the endpoints are asked for a stream.
async fn check_counted(running: &Running, expected: [Expected; 2]) -> anyhow::Result<()> {
    let half = ENDPOINTS.len() as f64 / 2.0;
    running.until_metric("llm_outcomes_total", 2.0 * half).await?;
    for (_, _, outcome) in expected {
        let times = half * expected.iter().filter(|other| other.2 == outcome).count() as f64;
        let counted = running.outcomes(outcome).await?;
        ensure!(counted == times, "{outcome} was counted {counted} times, expected {times}");
    }
    let retries = half * expected.iter().map(|expected| expected.1 - 1).sum::<u64>() as f64;
    let counted = running.metric("llm_retries_total").await?;
    ensure!(counted == retries, "{counted} retries were counted, expected {retries}");
    Ok(())
}

async fn a_closed_port_is_tried_again_and_answered_with_502(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &["--attempts", "2"]).await?;
    for (path, body) in [(STREAM_ROUTE, streamed("hi")), (WHOLE_ROUTE, whole("hi"))] {
        assert_eq!(Answer::to(running.post(path, &body)).await?.status, 502, "{path}");
    }
    assert_eq!(running.metric("llm_retries_total").await?, 2.0);
    assert_eq!(running.outcomes("upstream_failure").await?, 2.0);
    Ok(())
}
