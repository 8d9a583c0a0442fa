//! Answers that begin before their first token, with `--early-keep-alive`.

use std::time::{Duration, Instant};

use anyhow::ensure;
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::event_stream::EventStream;
use conformance::on_limited_servers;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, streamed};
use conformance::servers::Server;
use conformance::transcript::{Chat, End};
use conformance::wait::until;
use mock_llm::MockLlm;

on_limited_servers!(
    comments_precede_a_late_first_token,
    a_failure_after_a_comment_is_an_error_event,
    a_failure_before_the_first_comment_is_a_status,
    a_disconnect_between_comments_ends_the_vendors_call,
);

const COMMENT: &str = ": keep-alive\n\n";
const FLAGS: [&str; 2] = ["--early-keep-alive", "100ms"];

async fn comments_precede_a_late_first_token(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(3).ttft(Duration::from_millis(700)).inter_token(Duration::ZERO);
    let mock = mock.start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    for path in [STREAM_ROUTE, COMPLETION_ROUTES[0]] {
        let begun = Instant::now();
        let answer = Answer::to(running.post(path, &streamed("hi"))).await?;
        let (text, took) = (answer.text(), begun.elapsed());
        let comments = text.matches(COMMENT).count();
        ensure!(comments >= 2 && comments as u128 <= took.as_millis() / 100, "{path}: {comments} in {took:?}: {text}");
        let rest = text.trim_start_matches(COMMENT);
        ensure!(rest.starts_with("data: {") && rest.ends_with("data: [DONE]\n\n"), "{path}: {text}");
        ensure!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")), "{path}");
        ensure!(answer.header("x-stream-method") == Some("async"), "{path}: {:?}", answer.header("x-stream-method"));
    }
    running.until_outcomes("success", 2.0).await
}

/// The status has been sent, so a failure is an event. Retries still happen behind it, and are not visible.
async fn a_failure_after_a_comment_is_an_error_event(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO);
    let mock = mock.fault("status=503;retry-after=1;first=3").start().await?;
    let running = server.start(&mock.url(), &[&FLAGS[..], &["--attempts", "2"]].concat()).await?;
    let failed = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    ensure!(failed.text().starts_with(COMMENT), "{}", failed.text());
    match Chat::of(&failed.events()?)?.end {
        End::Failed(error) => assert_eq!(error.kind, "upstream_failure"),
        end => panic!("{end:?}"),
    }
    running.until_outcomes("upstream_failure", 1.0).await?;
    let retried = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    ensure!(retried.text().starts_with(COMMENT), "{}", retried.text());
    assert_eq!(Chat::of(&retried.events()?)?.end, End::Done);
    assert_eq!(mock.ledger().started, 4);
    running.until_outcomes("success", 1.0).await
}

async fn a_failure_before_the_first_comment_is_a_status(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().fault("status=400").start().await?;
    let running = server.start(&mock.url(), &["--early-keep-alive", "20s"]).await?;
    refusal(&Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?, 400)?;
    Ok(())
}

async fn a_disconnect_between_comments_ends_the_vendors_call(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().ttft(Duration::from_secs(600)).start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    // Its head comes with the first comment.
    let stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(mock.ledger().active, 1);
    drop(stream);
    until("the vendor's call ends", || mock.ledger().active == 0, || format!("{:?}", mock.ledger())).await?;
    running.until_outcomes("disconnected", 1.0).await
}
