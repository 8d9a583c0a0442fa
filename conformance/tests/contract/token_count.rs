//! `--count-tokens`: both servers count the same, whichever thread they do it on.

use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_limited_servers;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::{self, Server};
use mock_llm::MockLlm;

on_limited_servers!(prompts_are_counted_on_every_route, without_the_flag_nothing_is_counted);

const TOKENS: &str = "llm_prompt_tokens_total";

/// Also one that is too large to be counted on the event loop.
async fn prompts_are_counted_on_every_route(server: &'static Server) -> anyhow::Result<()> {
    const MANY: usize = 50_000;
    let mock = MockLlm::builder().tokens(1).start().await?;
    let running = server.start(&mock.url(), &["--count-tokens"]).await?;
    for route in [STREAM_ROUTE, WHOLE_ROUTE, COMPLETION_ROUTES[0]] {
        assert_eq!(Answer::to(running.post(route, &streamed(" the the the"))).await?.status, 200, "{route}");
    }
    assert_eq!(running.metric(TOKENS).await?, 9.0);
    let large = Answer::to(running.post(WHOLE_ROUTE, &whole(&" the".repeat(MANY)))).await?;
    assert_eq!(large.status, 200);
    assert_eq!(running.metric(TOKENS).await?, 9.0 + MANY as f64);
    assert_eq!(running.metric("llm_prompt_count_seconds_count").await?, 4.0);
    Ok(())
}

async fn without_the_flag_nothing_is_counted(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).start().await?;
    let running = server.start(&mock.url(), &[]).await?;
    assert_eq!(Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?.status, 200);
    assert!(running.metric(TOKENS).await.is_err());
    Ok(())
}

/// 28 digits are 7 tokens by their bytes, and more by count.
#[tokio::test]
async fn fixed_server_reserves_what_it_has_counted() -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).start().await?;
    let limit = ["--token-limit", "100/1h", "--token-burst", "10"];
    for (flags, status) in [(&limit[..], 200), (&[&limit[..], &["--count-tokens"]].concat(), 400)] {
        let running = servers::FIXED.start(&mock.url(), flags).await?;
        let answer = Answer::to(running.post(WHOLE_ROUTE, &whole("3141592653589793238462643383"))).await?;
        assert_eq!(answer.status, status, "{flags:?}");
        if status == 400 {
            assert_eq!(refusal(&answer, 400)?.param.as_deref(), Some("messages"));
        }
    }
    Ok(())
}
