//! In the servers with limits: those of each user.

use std::time::Duration;

use anyhow::ensure;
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_limited_servers;
use conformance::running::{COMPLETION_ROUTES, Running, STREAM_ROUTE, streamed, whole};
use conformance::servers::Server;
use mock_llm::MockLlm;
use reqwest::{Method, Response};

on_limited_servers!(
    a_user_over_a_limit_takes_no_shared_permit,
    each_key_is_a_user_of_its_own,
    a_permit_of_a_stream_is_held_to_its_end,
);

const NEVER: Duration = Duration::from_secs(600);

async fn stream(running: &Running) -> anyhow::Result<Response> {
    Ok(running.post(STREAM_ROUTE, &streamed("hi")).send().await?)
}

async fn over_the_limit(running: &Running) -> anyhow::Result<()> {
    let rejected = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(refusal(&rejected, 429)?.kind, "user_limit");
    ensure!(rejected.header("retry-after").is_some(), "no Retry-After");
    Ok(())
}

async fn a_user_over_a_limit_takes_no_shared_permit(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(NEVER).start().await?;
    let flags = ["--user-max-in-flight", "2", "--user-rate-limit", "4/1h", "--max-in-flight", "2"];
    let running = server.start(&mock.url(), &flags).await?;
    let open = [stream(&running).await?, stream(&running).await?];
    over_the_limit(&running).await?;
    assert_eq!((running.metric("llm_queue_length").await?, mock.ledger().started), (0.0, 2));
    drop(open);
    running.until_metric("llm_concurrent_calls", 0.0).await?;

    // A rejected call uses none of the rate.
    let more = [stream(&running).await?, stream(&running).await?];
    ensure!(more.iter().all(|answer| answer.status() == 200), "{more:?}");
    drop(more);
    running.until_metric("llm_concurrent_calls", 0.0).await?;
    over_the_limit(&running).await?;
    assert_eq!(running.outcomes("user_limit").await?, 2.0);
    Ok(())
}

async fn each_key_is_a_user_of_its_own(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).start().await?;
    let flags = ["--user-rate-limit", "1/1h", "--api-key", "one-key", "--api-key", "other-key"];
    let running = server.start(&mock.url(), &flags).await?;
    let ask = async |key: &str| {
        let request = running.request(Method::POST, COMPLETION_ROUTES[0]).bearer_auth(key).json(&whole("hi"));
        Answer::to(request).await.map(|answer| answer.status)
    };
    for (key, status) in [("one-key", 200), ("one-key", 429), ("other-key", 200), ("demo-key", 401)] {
        assert_eq!(ask(key).await?, status, "{key}");
    }
    // A user without a key is the address, and the keys' limits are not its own.
    assert_eq!(stream(&running).await?.status(), 200);
    over_the_limit(&running).await
}

async fn a_permit_of_a_stream_is_held_to_its_end(server: &'static Server) -> anyhow::Result<()> {
    let mock =
        MockLlm::builder().tokens(3).ttft(Duration::ZERO).inter_token(Duration::from_millis(200)).start().await?;
    let running = server.start(&mock.url(), &["--user-max-in-flight", "1"]).await?;
    let open = stream(&running).await?;
    over_the_limit(&running).await?;
    ensure!(open.text().await?.ends_with("data: [DONE]\n\n"), "it was cut");
    running.until_metric("llm_concurrent_calls", 0.0).await?;
    assert_eq!(stream(&running).await?.status(), 200);
    Ok(())
}
