//! The servers with limits, fixed-server and the control: each cause has its own type of failure, reported at
//! once or within its limit.

use std::time::{Duration, Instant};

use anyhow::Context;
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::event_stream::EventStream;
use conformance::on_limited_servers;
use conformance::running::{Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::wait::TIMEOUT;
use mock_llm::MockLlm;
use serde_json::json;
use tokio::time::sleep;

on_limited_servers!(
    a_full_queue_rejects_at_once_and_is_not_ready,
    a_queue_timeout_is_504_without_a_vendor_call,
    the_sla_covers_queue_and_call_together,
    a_call_over_the_call_timeout_is_a_vendor_failure,
    streams_and_whole_calls_have_separate_time_limits,
);

/// A vendor that sends its first token at once and no second one.
async fn endless() -> anyhow::Result<MockLlm> {
    Ok(MockLlm::builder()
        .tokens(2)
        .ttft(Duration::from_millis(1))
        .inter_token(Duration::from_secs(600))
        .start()
        .await?)
}

/// A vendor that sends no token.
async fn silent() -> anyhow::Result<MockLlm> {
    Ok(MockLlm::builder().tokens(2).ttft(Duration::from_secs(600)).start().await?)
}

async fn a_full_queue_rejects_at_once_and_is_not_ready(server: &'static Server) -> anyhow::Result<()> {
    let mock = endless().await?;
    // One call runs, one waits, and the queue is full.
    let running = server.start(&mock.url(), &["--max-in-flight", "1", "--max-queued", "1"]).await?;
    let first = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(Answer::to(running.get("/ready")).await?.json(200)?, json!({ "status": "ready" }), "the queue is empty");
    let waiting = running.post(STREAM_ROUTE, &streamed("hi"));
    let waiting = tokio::spawn(async move { EventStream::open(waiting).await });
    let not_ready = ready_answers(&running, 503).await?;
    assert_eq!(not_ready.json(503)?, json!({ "status": "not ready", "reason": "overloaded" }));

    for (path, body) in [(STREAM_ROUTE, streamed("hi")), (WHOLE_ROUTE, whole("hi"))] {
        let asked = Instant::now();
        let answer = Answer::to(running.post(path, &body)).await?;
        assert_eq!(refusal(&answer, 429)?.kind, "overloaded", "{path}");
        let retry_after: u64 = answer.header("retry-after").context("no Retry-After")?.parse()?;
        assert!(retry_after >= 1, "{path}: come back at once?");
        // The queue timeout is 5 s: this did not wait for it.
        assert!(asked.elapsed() < Duration::from_secs(3), "{path}: {:?}", asked.elapsed());
    }
    assert_eq!(mock.ledger().peak_active, 1, "never more than the limit in flight");

    drop(first);
    let second = tokio::time::timeout(TIMEOUT, waiting).await???;
    assert_eq!(ready_answers(&running, 200).await?.json(200)?, json!({ "status": "ready" }));
    drop(second);
    Ok(())
}

async fn a_queue_timeout_is_504_without_a_vendor_call(server: &'static Server) -> anyhow::Result<()> {
    let mock = endless().await?;
    let running = server.start(&mock.url(), &["--max-in-flight", "1", "--queue-timeout", "300ms"]).await?;
    let first = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    for (path, body) in [(STREAM_ROUTE, streamed("hi")), (WHOLE_ROUTE, whole("hi"))] {
        let asked = Instant::now();
        let answer = Answer::to(running.post(path, &body)).await?;
        assert_eq!(refusal(&answer, 504)?.kind, "queue_timeout", "{path}");
        assert!(asked.elapsed() >= Duration::from_millis(290), "{path}: before its time: {:?}", asked.elapsed());
    }
    assert_eq!(mock.ledger().started, 1, "only the first");
    assert_eq!(running.metric("llm_queue_timeout_total").await?, 2.0);
    drop(first);
    Ok(())
}

async fn the_sla_covers_queue_and_call_together(server: &'static Server) -> anyhow::Result<()> {
    // The first call ends at 600 ms. The second gets its permit then, within the queue timeout, and its own
    // first-token timeout would end at 1.7 s: the SLA ends before that.
    let mock = silent().await?;
    let flags = ["--max-in-flight", "1", "--queue-timeout", "1s", "--call-timeout", "1100ms"];
    let limits = ["--first-token-timeout", "1100ms", "--sla", "1300ms", "--idle-timeout", "1100ms"];
    let running = server.start(&mock.url(), &[&flags[..], &limits[..]].concat()).await?;
    let first = running.post(STREAM_ROUTE, &streamed("hi"));
    let first = tokio::spawn(async move { first.send().await.map(|_| ()) });
    conformance::wait::until("the first call runs", || mock.ledger().active == 1, || format!("{:?}", mock.ledger()))
        .await?;
    let second = tokio::spawn(Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))));
    sleep(Duration::from_millis(600)).await;
    first.abort();
    let answer = second.await??;
    assert_eq!(refusal(&answer, 504)?.kind, "sla_timeout");
    assert_eq!(mock.ledger().started, 2, "the queued call got its permit");
    Ok(())
}

async fn a_call_over_the_call_timeout_is_a_vendor_failure(server: &'static Server) -> anyhow::Result<()> {
    let mock = silent().await?;
    let flags = ["--queue-timeout", "100ms", "--call-timeout", "300ms", "--first-token-timeout", "300ms"];
    let running = server.start(&mock.url(), &flags).await?;
    let answer = Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?;
    assert_eq!(refusal(&answer, 502)?.kind, "upstream_failure");
    let gone = || mock.ledger().active == 0;
    conformance::wait::until("the vendor's call ends", gone, || format!("{:?}", mock.ledger())).await
}

/// A stream is limited by the first-token timeout, a whole answer by the call timeout.
async fn streams_and_whole_calls_have_separate_time_limits(server: &'static Server) -> anyhow::Result<()> {
    let mock = silent().await?;
    let flags = ["--first-token-timeout", "700ms", "--call-timeout", "300ms", "--queue-timeout", "100ms"];
    let running = server.start(&mock.url(), &[&flags[..], &["--attempts", "1"]].concat()).await?;
    for (path, body, limit) in [(STREAM_ROUTE, streamed("hi"), 690), (WHOLE_ROUTE, whole("hi"), 290)] {
        let asked = Instant::now();
        let answer = Answer::to(running.post(path, &body)).await?;
        assert_eq!(refusal(&answer, 502)?.kind, "upstream_failure", "{path}");
        assert!(asked.elapsed() >= Duration::from_millis(limit), "{path}: {:?}", asked.elapsed());
    }
    assert_eq!(running.outcomes("call_timeout").await?, 2.0);
    assert_eq!(running.metric("llm_call_timeout_total").await?, 2.0);
    Ok(())
}

/// `/ready` once it has this status.
async fn ready_answers(running: &Running, status: u16) -> anyhow::Result<Answer> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let answer = Answer::to(running.get("/ready")).await?;
        if answer.status == status || Instant::now() > deadline {
            return Ok(answer);
        }
        sleep(Duration::from_millis(5)).await;
    }
}
