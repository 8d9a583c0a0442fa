//! Exactly one outcome for each request to the servers with limits.

use std::time::Duration;

use anyhow::{Context, ensure};
use conformance::on_limited_servers;
use conformance::running::{COMPLETION_ROUTES, Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::wait::{self, TIMEOUT};
use mock_llm::MockLlm;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

on_limited_servers!(every_request_has_exactly_one_outcome);

const FLAGS: [&str; 13] = [
    "--allow-mock-headers",
    "--max-in-flight",
    "20",
    "--max-queued",
    "60",
    "--queue-timeout",
    "400ms",
    "--call-timeout",
    "500ms",
    "--first-token-timeout",
    "500ms",
    "--idle-timeout",
    "300ms",
];

const FAULTS: [Option<&str>; 7] =
    [None, Some("status=503"), Some("status=400"), Some("reset-after=3"), Some("hang-after=2"), Some("hang"), None];

/// Requests of every kind at once: faults of the vendor, a queue that is too short, disconnects at any moment.
async fn every_request_has_exactly_one_outcome(server: &'static Server) -> anyhow::Result<()> {
    const REQUESTS: u64 = 200;
    let gap = Duration::from_millis(5);
    let mock = MockLlm::builder().tokens(10).ttft(gap).inter_token(gap).start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    let certain = one_request_of_each_outcome(&running).await?;

    let mut clients = JoinSet::new();
    for number in 0..REQUESTS {
        let path = [STREAM_ROUTE, WHOLE_ROUTE, COMPLETION_ROUTES[0]][number as usize % 3];
        let body = if number % 2 == 0 { streamed("hi") } else { whole("hi") };
        let mut request = running.post(path, &body);
        if let Some(fault) = FAULTS[number as usize % FAULTS.len()] {
            request = request.header("x-mock-fault", fault);
        }
        // Every fourth client disconnects within 90 ms, some of them before there is an answer.
        let limit = if number % 4 == 0 { Duration::from_millis(number % 90) } else { Duration::from_secs(60) };
        clients.spawn(timeout(limit, async { request.send().await?.text().await }));
    }
    let mut stayed = 0;
    while let Some(client) = clients.join_next().await {
        stayed += u64::from(client?.is_ok());
    }
    assert!(stayed >= REQUESTS * 3 / 4, "{stayed} clients waited for the end");
    for at_rest in ["llm_open_streams", "llm_concurrent_calls", "llm_queue_length"] {
        running.until_metric(at_rest, 0.0).await?;
    }
    // A client may have disconnected before its request arrived; on a busy machine that request comes late.
    let begun = wait_until_all_have_ended(&running).await?;
    ensure!(begun >= stayed as f64 && begun <= (REQUESTS + certain) as f64, "{begun} begun, {stayed} clients stayed");
    wait::until("the vendor's calls end", || mock.ledger().active == 0, || format!("{:?}", mock.ledger())).await?;
    ensure!(running.outcomes("disconnected").await? > 0.0, "no request ended as disconnected: it was not tested");
    Ok(())
}

/// Sends requests one after another until each of these outcomes has been counted, and returns how many it took: of
/// many requests at once, a busy machine may reject all that would have ended in one of them.
async fn one_request_of_each_outcome(running: &Running) -> anyhow::Result<u64> {
    // One client is certain to disconnect in mid-call.
    let request = running.post(STREAM_ROUTE, &streamed("hi")).header("x-mock-fault", "hang");
    let disconnecting = tokio::spawn(request.send());
    running.until_metric("llm_concurrent_calls", 1.0).await?;
    disconnecting.abort();
    running.until_metric("llm_concurrent_calls", 0.0).await?;
    let mut sent = 1;
    let deadline = Instant::now() + TIMEOUT;
    for (outcome, fault) in [
        ("success", None),
        ("upstream_failure", Some("status=503")),
        ("upstream_rejected", Some("status=400")),
        ("stream_error", Some("reset-after=3")),
    ] {
        while running.outcomes(outcome).await? == 0.0 {
            ensure!(Instant::now() < deadline, "no request ended as {outcome}: it was not tested");
            let mut request = running.post(STREAM_ROUTE, &streamed("hi"));
            if let Some(fault) = fault {
                request = request.header("x-mock-fault", fault);
            }
            request.send().await?.text().await?;
            sent += 1;
        }
    }
    Ok(sent)
}

/// Waits until as many requests have ended as have begun, and returns how many. If one ended twice, it fails.
async fn wait_until_all_have_ended(running: &Running) -> anyhow::Result<f64> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let scrape = running.scrape().await?;
        let begun = scrape.sum("llm_calls_total").context("no calls")?;
        let ended = scrape.sum("llm_outcomes_total").context("no outcomes")?;
        if ended == begun {
            return Ok(begun);
        }
        ensure!(Instant::now() < deadline, "{begun} requests have begun, {ended} have ended after {TIMEOUT:?}");
        sleep(Duration::from_millis(5)).await;
    }
}
