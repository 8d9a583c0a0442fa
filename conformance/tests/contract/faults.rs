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
use wire::faults::{Expected, FAULT_CASES, FaultCase};
use wire::outcome::Outcome;

on_limited_servers!(
    every_fault_has_its_status_attempts_and_outcome,
    a_closed_port_is_tried_again_and_answered_with_502
);

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
    for case in FAULT_CASES {
        rows.spawn(check_case(server, case));
    }
    let mut wrong = Vec::new();
    while let Some(checked) = rows.join_next().await {
        wrong.extend(checked??);
    }
    ensure!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// What is wrong in one case. Its requests have a server and a vendor for themselves, because the
/// outcomes are counted there.
async fn check_case(server: &'static Server, case: FaultCase) -> anyhow::Result<Vec<String>> {
    let FaultCase { fault, of_stream, of_whole } = case;
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
        let retry_after = answer.header("retry-after").map(str::parse).transpose()?;
        let measured = (answer.status, attempts, retry_after);
        if measured != (expected.status, expected.attempts, expected.retry_after) || fit.is_err() {
            let was = format!("was {measured:?}, {fit:?}");
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
fn fits(expected: Expected, answer: &Answer, streams: bool) -> Result<(), String> {
    let text = answer.text();
    let good = match (expected.status, expected.outcome) {
        (200, Outcome::Success) if streams => text.ends_with("data: [DONE]\n\n") && !text.contains("event: error"),
        (200, Outcome::Success) => text.contains("\"choices\""),
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
    for Expected { outcome, .. } in expected {
        let times = half * expected.iter().filter(|other| other.outcome == outcome).count() as f64;
        let counted = running.outcomes(outcome.as_str()).await?;
        ensure!(counted == times, "{outcome:?} was counted {counted} times, expected {times}");
    }
    let retries = half * expected.iter().map(|expected| expected.attempts - 1).sum::<u64>() as f64;
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
