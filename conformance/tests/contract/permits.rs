//! In the servers with limits: when a request holds its queue entry and its permit, and when it releases them.

use std::time::Duration;

use anyhow::{Context, ensure};
use conformance::answer::Answer;
use conformance::event_stream::EventStream;
use conformance::on_limited_servers;
use conformance::running::{Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::wait;
use mock_llm::MockLlm;
use serde_json::Value;
use tokio::task::JoinSet;

on_limited_servers!(
    the_vendor_never_sees_more_than_the_limit,
    ready_is_503_from_four_fifths_of_the_queue_down_to_half,
    the_list_of_models_takes_no_permit,
    a_disconnect_in_the_queue_frees_the_queue_entry,
    a_disconnect_before_the_first_token_frees_the_permit,
    a_disconnect_in_mid_stream_frees_the_permit,
    a_disconnect_between_two_attempts_ends_the_request,
    a_stream_that_fails_frees_its_permit,
);

const NEVER: Duration = Duration::from_secs(600);

const ONE_AT_A_TIME: [&str; 3] = ["--max-in-flight", "1", "--allow-mock-headers"];

/// A streamed request, and one for a whole answer.
fn requests() -> [(&'static str, Value); 2] {
    [(STREAM_ROUTE, streamed("hi")), (WHOLE_ROUTE, whole("hi"))]
}

/// A vendor that sends its first token at once and no second one.
async fn endless() -> anyhow::Result<MockLlm> {
    Ok(MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await?)
}

/// Opens a stream and reads its first token.
async fn open(running: &Running) -> anyhow::Result<EventStream> {
    let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    stream.next().await?.context("no event")?;
    Ok(stream)
}

async fn vendor_has(mock: &MockLlm, active: u64) -> anyhow::Result<()> {
    let what = format!("the vendor has {active} calls");
    wait::until(&what, || mock.ledger().active == active, || format!("{:?}", mock.ledger())).await
}

/// Checks that the only permit is free: another request gets it.
async fn permit_is_free(running: &Running) -> anyhow::Result<()> {
    running.until_metric("llm_concurrent_calls", 0.0).await?;
    let next = running.post(STREAM_ROUTE, &streamed("hi")).header("x-mock-ttft", "0s");
    EventStream::open(next).await.map(drop)
}

/// A stream holds its permit to its end. If it were released with the head of the response, as by a middleware, the
/// vendor would get all streams at once.
async fn the_vendor_never_sees_more_than_the_limit(server: &'static Server) -> anyhow::Result<()> {
    let gap = Duration::from_millis(20);
    let mock = MockLlm::builder().tokens(5).ttft(gap).inter_token(gap).start().await?;
    let workers = if server.program == "broken-server" { "--workers" } else { "--worker-threads" };
    let running = server.start(&mock.url(), &["--max-in-flight", "3", workers, "2"]).await?;
    let mut answers = JoinSet::new();
    for (path, body) in requests().into_iter().cycle().take(15) {
        answers.spawn(Answer::to(running.post(path, &body)));
    }
    while let Some(answer) = answers.join_next().await {
        let answer = answer??;
        let text = answer.text();
        ensure!(answer.status == 200 && answer.truncated.is_none(), "{}: {text}", answer.status);
        ensure!(text.ends_with("data: [DONE]\n\n") || text.starts_with('{'), "{text}");
    }
    let ledger = mock.ledger();
    assert_eq!((ledger.peak_active, ledger.completed), (3, 15), "{ledger:?}");
    running.until_metric("llm_concurrent_calls", 0.0).await?;
    assert_eq!(running.outcomes("success").await?, 15.0);
    assert!(running.metric("llm_semaphore_wait_seconds_sum").await? > 0.0, "twelve of them waited");
    assert_eq!(running.metric("llm_rate_limit_wait_seconds_count").await?, 15.0);
    assert_eq!(running.metric("llm_rate_limit_wait_seconds_sum").await?, 0.0, "there is no rate limit");
    Ok(())
}

async fn ready_is_503_from_four_fifths_of_the_queue_down_to_half(server: &'static Server) -> anyhow::Result<()> {
    let mock = endless().await?;
    let flags = ["--max-in-flight", "1", "--max-queued", "10", "--queue-timeout", "20s"];
    let running = server.start(&mock.url(), &flags).await?;
    let stream = open(&running).await?;
    let mut waiting = Vec::new();
    for queued in 1..=9 {
        let request = running.post(STREAM_ROUTE, &streamed("hi"));
        waiting.push(tokio::spawn(async move { request.send().await.map(drop) }));
        running.until_metric("llm_queue_length", f64::from(queued)).await?;
        let ready = Answer::to(running.get("/ready")).await?.status;
        assert_eq!(ready, if queued > 8 { 503 } else { 200 }, "{queued} of 10");
    }
    for queued in (0..=8).rev() {
        waiting.pop().context("none waits")?.abort();
        running.until_metric("llm_queue_length", f64::from(queued)).await?;
        let ready = Answer::to(running.get("/ready")).await?.status;
        assert_eq!(ready, if queued >= 5 { 503 } else { 200 }, "{queued} of 10");
    }
    drop(stream);
    Ok(())
}

async fn the_list_of_models_takes_no_permit(server: &'static Server) -> anyhow::Result<()> {
    let mock = endless().await?;
    let running = server.start(&mock.url(), &["--max-in-flight", "1", "--max-queued", "0"]).await?;
    let stream = open(&running).await?;
    let models = running.get("/v1/models").bearer_auth(conformance::running::DEMO_KEY);
    assert_eq!(Answer::to(models).await?.status, 200);
    assert_eq!(running.metric("llm_outcomes_total").await?, 0.0, "it is no call of the model");
    assert_eq!(Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?.status, 429);
    drop(stream);
    Ok(())
}

async fn a_disconnect_in_the_queue_frees_the_queue_entry(server: &'static Server) -> anyhow::Result<()> {
    let mock = endless().await?;
    let running = server.start(&mock.url(), &ONE_AT_A_TIME).await?;
    let stream = open(&running).await?;
    for (path, body) in requests() {
        let waiting = tokio::spawn(running.post(path, &body).send());
        running.until_metric("llm_queue_length", 1.0).await?;
        waiting.abort();
        running.until_metric("llm_queue_length", 0.0).await?;
    }
    running.until_metric("llm_disconnects_total", 2.0).await?;
    assert_eq!((mock.ledger().started, running.metric("llm_concurrent_calls").await?), (1, 1.0));
    drop(stream);
    permit_is_free(&running).await
}

async fn a_disconnect_before_the_first_token_frees_the_permit(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(2).ttft(NEVER).start().await?;
    let running = server.start(&mock.url(), &ONE_AT_A_TIME).await?;
    for (path, body) in requests() {
        let request = tokio::spawn(running.post(path, &body).send());
        vendor_has(&mock, 1).await?;
        assert_eq!(running.metric("llm_concurrent_calls").await?, 1.0);
        request.abort();
        vendor_has(&mock, 0).await?;
    }
    running.until_metric("llm_disconnects_total", 2.0).await?;
    assert_eq!((mock.ledger().cancelled, mock.ledger().started), (2, 2));
    permit_is_free(&running).await
}

/// The vendor is silent, so only the client's connection tells the server of the disconnect.
async fn a_disconnect_in_mid_stream_frees_the_permit(server: &'static Server) -> anyhow::Result<()> {
    let mock = endless().await?;
    let running = server.start(&mock.url(), &ONE_AT_A_TIME).await?;
    let stream = open(&running).await?;
    assert_eq!(running.metric("llm_concurrent_calls").await?, 1.0);
    assert_eq!(running.metric("llm_open_streams").await?, 1.0);
    drop(stream);
    vendor_has(&mock, 0).await?;
    running.until_metric("llm_disconnects_total", 1.0).await?;
    assert_eq!((mock.ledger().cancelled, mock.ledger().tokens_sent), (1, 1));
    running.until_metric("llm_open_streams", 0.0).await?;
    permit_is_free(&running).await
}

async fn a_disconnect_between_two_attempts_ends_the_request(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await?;
    let running = server.start(&mock.url(), &ONE_AT_A_TIME).await?;
    for (count, (path, body)) in [1.0, 2.0].into_iter().zip(requests()) {
        let request = running.post(path, &body).header("x-mock-fault", "status=503;retry-after=1");
        let request = tokio::spawn(request.send());
        running.until_metric("llm_retries_total", count).await?;
        assert_eq!(running.metric("llm_concurrent_calls").await?, 0.0, "nothing is held between two attempts");
        request.abort();
        running.until_metric("llm_disconnects_total", count).await?;
    }
    // Longer than either backoff could have been.
    tokio::time::sleep(Duration::from_millis(1700)).await;
    assert_eq!(mock.ledger().started, 2, "an attempt was made after the disconnect");
    permit_is_free(&running).await
}

/// Whether or not its client reads to the end.
async fn a_stream_that_fails_frees_its_permit(server: &'static Server) -> anyhow::Result<()> {
    let mock = endless().await?;
    let flags = [&ONE_AT_A_TIME[..], &["--idle-timeout", "200ms"]].concat();
    let running = server.start(&mock.url(), &flags).await?;
    let rest = open(&running).await?.rest().await?;
    let [error] = &rest[..] else { anyhow::bail!("expected one event after the first: {rest:?}") };
    ensure!(error.name.as_deref() == Some("error") && error.data.contains("\"code\":\"idle_timeout\""), "{error:?}");
    assert_eq!(running.outcomes("stream_error").await?, 1.0);
    permit_is_free(&running).await
}
