//! SIGTERM, SIGINT and SIGHUP.

use std::time::Duration;

use anyhow::Context;
use conformance::answer::Answer;
use conformance::event_stream::EventStream;
use conformance::on_every_server;
use conformance::program::launch;
use conformance::running::{STREAM_ROUTE, streamed};
use conformance::servers::Server;
use conformance::transcript::{Chat, End};
use conformance::vendor::ClosedPort;
use conformance::wait::TIMEOUT;
use mock_llm::MockLlm;
use process::Signal;
use serde_json::json;
use tokio::net::TcpStream;

use super::ALL;

on_every_server!(
    an_endless_stream_does_not_prevent_the_stop,
    a_stream_without_pauses_is_truncated_too,
    a_stream_that_ends_within_the_grace_is_complete,
    a_stopping_server_is_not_ready_and_rejects_requests,
);

#[tokio::test]
async fn sigterm_sigint_and_sighup_are_exit_0() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for facts in ALL {
        for signal in [Signal::Term, Signal::Int, Signal::Hup] {
            let program = facts.launch(&nobody)?.start(TIMEOUT).await?;
            // An idle connection must not prevent the stop either.
            let idle = TcpStream::connect(program.addr()).await?;
            program.signal(signal)?;
            assert_eq!(
                program.wait(TIMEOUT).await?.code(),
                Some(0),
                "{} {signal:?}: {:?}",
                facts.program,
                program.log()
            );
            assert!(!program.log().iter().any(|line| line.contains("panicked")), "{:?}", program.log());
            drop(idle);
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_mock_stops_while_it_streams() -> anyhow::Result<()> {
    let args = ["--listen", "127.0.0.1:0", "--ttft", "1ms", "--inter-token", "1m"];
    for signal in [Signal::Term, Signal::Int, Signal::Hup] {
        let mock = launch("mock-llm")?.args(args).start(TIMEOUT).await?;
        let client = gateway::http_client().build()?;
        let request = client.post(format!("http://{}/v1/chat/completions", mock.addr())).json(&streamed("hi"));
        let mut stream = EventStream::open(request).await?;
        stream.next().await?.context("no event")?;
        mock.signal(signal)?;
        assert_eq!(mock.wait(TIMEOUT).await?.code(), Some(0), "{signal:?}: {:?}", mock.log());
    }
    Ok(())
}

async fn an_endless_stream_does_not_prevent_the_stop(server: &'static Server) -> anyhow::Result<()> {
    for signal in [Signal::Term, Signal::Int, Signal::Hup] {
        // Ten minutes of tokens: a server that waits for them exceeds this test's timeout.
        let mock = MockLlm::builder().tokens(6000).ttft(Duration::from_millis(1));
        let mock = mock.inter_token(Duration::from_millis(100)).start().await?;
        let running = server.start(&mock.url(), &["--shutdown-grace", "1s"]).await?;
        let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
        let first = stream.next().await?.context("no token")?;
        running.program.signal(signal)?;
        assert_eq!(running.program.wait(TIMEOUT).await?.code(), Some(0), "{signal:?}: {:?}", running.program.log());
        // Truncated, with an error event: a client must not take it for complete.
        let events = [vec![first], stream.rest().await?].concat();
        assert!(says_that_it_stops(&Chat::of(&events)?), "{signal:?}: {:?}", events.last());
    }
    Ok(())
}

async fn a_stream_without_pauses_is_truncated_too(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(wire::chat::MAX_TOKENS_MAX).ttft(Duration::ZERO);
    let mock = mock.inter_token(Duration::ZERO).start().await?;
    let running = server.start(&mock.url(), &["--shutdown-grace", "100ms"]).await?;
    let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    let first = stream.next().await?.context("no token")?;
    let reading = tokio::spawn(stream.rest());
    running.program.signal(Signal::Term)?;
    let events = [vec![first], reading.await??].concat();
    assert!(says_that_it_stops(&Chat::of(&events)?), "{} events, {:?}", events.len(), events.last());
    assert_eq!(running.program.wait(TIMEOUT).await?.code(), Some(0), "{:?}", running.program.log());
    Ok(())
}

async fn a_stream_that_ends_within_the_grace_is_complete(server: &'static Server) -> anyhow::Result<()> {
    const TOKENS: usize = 10;
    let mock = MockLlm::builder().tokens(10).ttft(Duration::from_millis(1));
    let mock = mock.inter_token(Duration::from_millis(50)).start().await?;
    let running = server.start(&mock.url(), &["--shutdown-grace", "20s"]).await?;
    let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    let first = stream.next().await?.context("no token")?;
    running.program.signal(Signal::Term)?;
    let events = [vec![first], stream.rest().await?].concat();
    let chat = Chat::of(&events)?;
    assert_eq!((chat.tokens.len(), chat.end), (TOKENS, End::Done));
    assert_eq!(running.program.wait(TIMEOUT).await?.code(), Some(0));
    Ok(())
}

/// A load balancer must learn of the shutdown while connections are still accepted.
async fn a_stopping_server_is_not_ready_and_rejects_requests(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(6000).ttft(Duration::from_millis(1));
    let mock = mock.inter_token(Duration::from_millis(100)).start().await?;
    let running = server.start(&mock.url(), &["--shutdown-grace", "10s"]).await?;
    running.program.signal(Signal::Term)?;
    // The signal takes a moment to arrive: until then /ready answers 200.
    let answer = loop {
        let answer =
            Answer::to(running.get("/ready")).await.context("the server stopped accepting before /ready was 503")?;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(answer.json(503)?, json!({ "status": "not ready", "reason": "shutting down" }));
    let refused = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(conformance::error_shape::refusal(&refused, 503)?.kind, "shutting_down");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(mock.ledger().started, 0);
    Ok(())
}

fn says_that_it_stops(chat: &Chat) -> bool {
    matches!(&chat.end, End::Failed(error) if error.kind == "shutting_down")
}
