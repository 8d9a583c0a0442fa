//! In the servers with limits: the vendor's quota of calls, for which requests wait.

use std::time::Duration;

use anyhow::{Context, ensure};
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_limited_servers;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use mock_llm::MockLlm;
use serde_json::json;
use tokio::task::JoinSet;

on_limited_servers!(
    a_quota_is_kept_in_every_window,
    a_wait_for_the_rate_over_the_queue_timeout_is_rejected_at_once,
    a_model_that_waits_for_its_own_rate_holds_up_no_other,
);

/// The vendor rejects calls over its quota in any window, and here it rejects none.
async fn a_quota_is_kept_in_every_window(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO);
    let mock = mock.quota_requests(20, Duration::from_secs(1)).start().await?;
    let running = server.start(&mock.url(), &["--rate-limit", "20/1s"]).await?;
    let mut answers = JoinSet::new();
    for (path, body) in [(STREAM_ROUTE, streamed("hi")), (WHOLE_ROUTE, whole("hi"))].into_iter().cycle().take(30) {
        answers.spawn(Answer::to(running.post(path, &body)));
    }
    while let Some(answer) = answers.join_next().await {
        let answer = answer??;
        ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
    }
    assert_eq!((mock.ledger().started, mock.ledger().refused), (30, 0));
    // The last of them for 1.5 s: the quota is nearly used up. At half of it they would wait for twice as long.
    let waited = running.metric("llm_rate_limit_wait_seconds_sum").await?;
    ensure!(waited > 10.0 && waited < 40.0, "they waited for {waited} s in all");
    Ok(())
}

async fn a_wait_for_the_rate_over_the_queue_timeout_is_rejected_at_once(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await?;
    let running = server.start(&mock.url(), &["--rate-limit", "1/10s", "--queue-timeout", "2s"]).await?;
    assert_eq!(Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?.status, 200);
    let rejected = Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?;
    assert_eq!(refusal(&rejected, 429)?.kind, "overloaded");
    let retry_after: f64 = rejected.header("retry-after").context("no Retry-After")?.parse()?;
    ensure!(retry_after > 2.0 && retry_after <= 11.0, "{retry_after}");
    assert_eq!((running.outcomes("overloaded").await?, mock.ledger().started), (1.0, 1));
    Ok(())
}

/// There is one permit, which the waiting request would hold up.
async fn a_model_that_waits_for_its_own_rate_holds_up_no_other(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await?;
    let times = ["--queue-timeout", "100s", "--call-timeout", "200s", "--sla", "300s"];
    let flags = [&["--model-rate-limit", "slow=1/30s", "--max-in-flight", "1"], &times[..]].concat();
    let running = server.start(&mock.url(), &flags).await?;
    let request = |path: &str, model: &str| {
        let body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] });
        running.post(path, &body)
    };
    assert_eq!(Answer::to(request(WHOLE_ROUTE, "slow")).await?.status, 200, "the first need not wait");
    let routes = [STREAM_ROUTE, WHOLE_ROUTE, COMPLETION_ROUTES[0]];
    let waiting: Vec<_> = routes.iter().map(|path| tokio::spawn(request(path, "slow").send())).collect();
    running.until_metric("llm_queue_length", 3.0).await?;
    assert_eq!(running.metric("llm_concurrent_calls").await?, 0.0, "nobody who waits for a rate has a permit");
    for path in routes {
        assert_eq!(Answer::to(request(path, "other")).await?.status, 200, "{path}");
    }
    assert_eq!((running.metric("llm_queue_length").await?, mock.ledger().started), (3.0, 4));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    running.until_metric("llm_queue_length", 0.0).await
}
