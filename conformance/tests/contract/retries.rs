//! What the servers with limits retry, when, and how often.

use std::time::{Duration, Instant};

use anyhow::ensure;
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_limited_servers;
use conformance::running::{STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::wait;
use mock_llm::MockLlm;
use tokio::task::JoinSet;

on_limited_servers!(
    no_attempt_starts_that_the_sla_has_no_time_for,
    slow_attempts_end_with_the_sla,
    an_outage_gets_little_more_than_the_normal_load,
    nothing_is_held_between_two_attempts,
);

/// Where the backoff would leave no time for a retry, the request fails without waiting.
async fn no_attempt_starts_that_the_sla_has_no_time_for(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().fault("status=503;retry-after=2").start().await?;
    let flags = ["--sla", "2s", "--call-timeout", "1s", "--queue-timeout", "500ms"];
    let running = server.start(&mock.url(), &flags).await?;
    let asked = Instant::now();
    assert_eq!(Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?.status, 502);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(mock.ledger().started, 1);
    Ok(())
}

/// The SLA limits all attempts of a request together, and a single slow one.
async fn slow_attempts_end_with_the_sla(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().ttft(Duration::from_secs(600)).start().await?;
    let ended = || mock.ledger().active == 0;
    let flags = ["--sla", "600ms", "--first-token-timeout", "30s", "--call-timeout", "500ms", "--attempts", "10"];
    let running = server.start(&mock.url(), &[&flags[..], &["--queue-timeout", "100ms"]].concat()).await?;
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(refusal(&answer, 504)?.kind, "sla_timeout");
    assert_eq!((running.outcomes("sla_timeout").await?, mock.ledger().started), (1.0, 1));
    wait::until("the vendor's call ends", ended, || format!("{:?}", mock.ledger())).await?;

    let flags = ["--sla", "1500ms", "--first-token-timeout", "1s", "--call-timeout", "1s", "--attempts", "10"];
    let running = server.start(&mock.url(), &[&flags[..], &["--queue-timeout", "500ms"]].concat()).await?;
    let asked = Instant::now();
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    // The second attempt ends with the SLA, or its random backoff was too long for an attempt.
    ensure!(answer.status == 504 || answer.status == 502, "{}", answer.status);
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    wait::until("the vendor's calls end", ended, || format!("{:?}", mock.ledger())).await?;
    assert!(mock.ledger().started <= 3, "{:?}", mock.ledger());
    Ok(())
}

/// Three attempts a request would be three times the load in an outage. The budget allows a fifth of the load, and
/// the reserve one retry a second.
async fn an_outage_gets_little_more_than_the_normal_load(server: &'static Server) -> anyhow::Result<()> {
    const REQUESTS: u64 = 200;
    let mock = MockLlm::builder().fault("status=503").start().await?;
    let running = server.start(&mock.url(), &["--retry-budget", "20", "--retry-reserve", "1"]).await?;
    let mut requests = JoinSet::new();
    for _ in 0..REQUESTS {
        requests.spawn(Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))));
    }
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer??.status, 502);
    }
    let (started, allowed) = (mock.ledger().started, REQUESTS + REQUESTS / 5 + 10);
    assert!(started <= allowed, "{started} attempts, {allowed} allowed");
    let (made, refused) =
        (running.metric("llm_retries_total").await?, running.metric("llm_retries_refused_total").await?);
    assert_eq!(made, (started - REQUESTS) as f64);
    ensure!(made >= 20.0 && refused > 0.0, "{made} made, {refused} refused: the budget was not tested");
    Ok(())
}

/// While one request waits before its retry, another has the only permit.
async fn nothing_is_held_between_two_attempts(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(2).fault("status=429;retry-after=3;first=1").start().await?;
    let running = server.start(&mock.url(), &["--max-in-flight", "1"]).await?;
    let waiting = tokio::spawn(Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))));
    running.until_metric("llm_retries_total", 1.0).await?;
    assert_eq!(running.metric("llm_concurrent_calls").await?, 0.0);
    assert_eq!(Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?.status, 200);
    assert!(!waiting.is_finished(), "the second request waited for the first one's retry");
    assert_eq!(waiting.await??.status, 200);
    Ok(())
}
