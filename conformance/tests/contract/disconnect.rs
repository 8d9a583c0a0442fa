//! The client leaves.

use std::time::Duration;

use anyhow::Context;
use conformance::event_stream::EventStream;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::{Leaving, Server};
use conformance::wait;
use mock_llm::MockLlm;

on_every_server!(leaving_before_the_first_token_ends_the_vendors_call, leaving_in_the_middle_ends_the_vendors_call);

/// Tokens of a stream that nobody waits to see the end of.
const TOKENS: u32 = 1000;

/// Most tokens that the vendor may make for a client that has left. A server that does not notice
/// lets it make all of them.
const TOKENS_MAX: u64 = 100;

/// A vendor that is silent for a minute at a time, for a server that has to notice at once; or one
/// whose next token comes soon, for a server that has to notice then.
async fn vendor(leaving: Leaving, first: Duration) -> anyhow::Result<MockLlm> {
    let (ttft, gap) = match leaving {
        Leaving::WhileSilent => (first, Duration::from_secs(60)),
        Leaving::AtNextToken => (first.min(Duration::from_millis(300)), Duration::from_millis(20)),
    };
    Ok(MockLlm::builder().tokens(TOKENS).ttft(ttft).inter_token(gap).start().await?)
}

async fn leaving_before_the_first_token_ends_the_vendors_call(server: &'static Server) -> anyhow::Result<()> {
    for (path, body) in
        [(STREAM_ROUTE, streamed("hi")), (COMPLETION_ROUTES[0], streamed("hi")), (WHOLE_ROUTE, whole("hi"))]
    {
        if path == WHOLE_ROUTE && server.leaving == Leaving::AtNextToken {
            // A blocking read of a whole answer has no next token to notice at.
            continue;
        }
        let mock = vendor(server.leaving, Duration::from_secs(60)).await?;
        let running = server.start(&mock.url(), &[]).await?;
        let request = running.post(path, &body);
        let client = tokio::spawn(async move { request.send().await.map(|_| ()) });
        wait::until("the vendor has the call", || mock.ledger().active == 1, || format!("{:?}", mock.ledger())).await?;
        client.abort();
        cancelled(&mock, path).await?;
    }
    Ok(())
}

async fn leaving_in_the_middle_ends_the_vendors_call(server: &'static Server) -> anyhow::Result<()> {
    for path in [STREAM_ROUTE, COMPLETION_ROUTES[0]] {
        let mock = vendor(server.leaving, Duration::from_millis(10)).await?;
        let running = server.start(&mock.url(), &[]).await?;
        let mut stream = EventStream::open(running.post(path, &streamed("hi"))).await?;
        stream.next().await?.context("no event")?;
        drop(stream);
        cancelled(&mock, path).await?;
    }
    Ok(())
}

/// Waits until the vendor knows that its only client has gone, as its ledger says.
async fn cancelled(mock: &MockLlm, path: &str) -> anyhow::Result<()> {
    let gone = || mock.ledger().active == 0;
    wait::until("the vendor's call ends", gone, || format!("{path}: {:?}", mock.ledger())).await?;
    let ledger = mock.ledger();
    assert_eq!((ledger.started, ledger.cancelled, ledger.completed), (1, 1, 0), "{path}: {ledger:?}");
    assert!(ledger.tokens_sent <= TOKENS_MAX, "{path}: {} tokens for a client that has left", ledger.tokens_sent);
    Ok(())
}
