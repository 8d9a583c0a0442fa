//! What becomes of calls at each stage when the server is asked to stop.

use std::time::{Duration, Instant};

use anyhow::Context;
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::event_stream::EventStream;
use conformance::on_limited_servers;
use conformance::running::{Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::transcript::{Chat, End};
use conformance::wait::{TIMEOUT, until};
use mock_llm::MockLlm;
use process::Signal;

on_limited_servers!(
    ten_streams_are_complete_and_a_stuck_one_ends_with_an_error_event,
    calls_without_a_token_are_503_when_the_grace_is_over,
);

const TOKENS: u32 = 20;

/// Ten streams that need half of the grace, and one whose vendor hangs after its second token.
async fn ten_streams_are_complete_and_a_stuck_one_ends_with_an_error_event(
    server: &'static Server,
) -> anyhow::Result<()> {
    const GRACE: Duration = Duration::from_secs(2);
    let mock = MockLlm::builder().tokens(TOKENS).ttft(Duration::from_millis(1));
    let mock = mock.inter_token(Duration::from_millis(50)).start().await?;
    let running = server.start(&mock.url(), &["--shutdown-grace", "2s", "--allow-mock-headers"]).await?;
    let stuck = running.post(STREAM_ROUTE, &streamed("hi")).header("x-mock-fault", "hang-after=2");
    let stuck = EventStream::open(stuck).await?;
    let mut healthy = Vec::new();
    for _ in 0..10 {
        healthy.push(EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?);
    }
    let signalled = Instant::now();
    running.program.signal(Signal::Term)?;
    for stream in healthy {
        let chat = Chat::of(&stream.rest().await?)?;
        assert_eq!((chat.tokens.len(), chat.end), (TOKENS as usize, End::Done));
    }
    let chat = Chat::of(&stuck.rest().await?)?;
    assert!(matches!(&chat.end, End::Failed(error) if error.kind == "shutting_down"), "{:?}", chat.end);
    assert_eq!(chat.tokens.len(), 2);
    assert!(signalled.elapsed() >= GRACE, "ended after {:?}", signalled.elapsed());
    assert_eq!(running.program.wait(TIMEOUT).await?.code(), Some(0));
    Ok(())
}

/// In the queue, before the first token of a stream, before a whole answer.
async fn calls_without_a_token_are_503_when_the_grace_is_over(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().ttft(Duration::from_secs(3600)).start().await?;
    let flags = ["--shutdown-grace", "500ms", "--max-in-flight", "2", "--queue-timeout", "20s"];
    let running = server.start(&mock.url(), &flags).await?;
    let streaming = send(&running, STREAM_ROUTE);
    let answering = send(&running, WHOLE_ROUTE);
    until("both calls at the vendor", || mock.ledger().active == 2, || format!("{:?}", mock.ledger())).await?;
    let queued = send(&running, STREAM_ROUTE);
    running.until_metric("llm_queue_length", 1.0).await?;
    running.program.signal(Signal::Term)?;
    for call in [streaming, answering, queued] {
        assert_eq!(refusal(&call.await??, 503)?.kind, "shutting_down");
    }
    assert_eq!(running.program.wait(TIMEOUT).await?.code(), Some(0));
    assert_eq!(mock.ledger().started, 2, "the queued call was never made");
    Ok(())
}

fn send(running: &Running, route: &str) -> tokio::task::JoinHandle<anyhow::Result<Answer>> {
    let body = if route == WHOLE_ROUTE { whole("hi") } else { streamed("hi") };
    let request = running.post(route, &body);
    tokio::spawn(async move { Answer::to(request).await.context("no answer") })
}
