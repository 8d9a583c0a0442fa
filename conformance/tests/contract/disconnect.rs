//! The client disconnects.

use std::time::Duration;

use anyhow::Context;
use conformance::event_stream::EventStream;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::{DisconnectNoticed, Server};
use conformance::wait;
use mock_llm::MockLlm;

on_every_server!(a_disconnect_before_the_first_token_ends_the_call, a_disconnect_in_mid_stream_ends_the_call);

/// Tokens of a stream that takes longer than any test.
const TOKENS: u32 = 1000;

/// Most tokens that the vendor may send for a client that has disconnected. A server that does not notice the
/// disconnect takes all of them.
const TOKENS_MAX: u64 = 100;

/// A vendor that is silent for a minute at a time, for a server that must notice at once; or one whose next token
/// arrives soon, for a server that must notice then.
async fn vendor(disconnect_noticed: DisconnectNoticed, first: Duration) -> anyhow::Result<MockLlm> {
    let (ttft, gap) = match disconnect_noticed {
        DisconnectNoticed::WhileSilent => (first, Duration::from_secs(60)),
        DisconnectNoticed::AtNextToken => (first.min(Duration::from_millis(300)), Duration::from_millis(20)),
    };
    Ok(MockLlm::builder().tokens(TOKENS).ttft(ttft).inter_token(gap).start().await?)
}

async fn a_disconnect_before_the_first_token_ends_the_call(server: &'static Server) -> anyhow::Result<()> {
    for (path, body) in
        [(STREAM_ROUTE, streamed("hi")), (COMPLETION_ROUTES[0], streamed("hi")), (WHOLE_ROUTE, whole("hi"))]
    {
        if path == WHOLE_ROUTE && server.disconnect_noticed == DisconnectNoticed::AtNextToken {
            // A blocking read of a whole answer cannot notice a disconnect: there is no next token.
            continue;
        }
        let mock = vendor(server.disconnect_noticed, Duration::from_secs(60)).await?;
        let running = server.start(&mock.url(), &[]).await?;
        let request = running.post(path, &body);
        let client = tokio::spawn(async move { request.send().await.map(|_| ()) });
        wait::until("the vendor has the call", || mock.ledger().active == 1, || format!("{:?}", mock.ledger())).await?;
        client.abort();
        cancelled(&mock, path).await?;
    }
    Ok(())
}

async fn a_disconnect_in_mid_stream_ends_the_call(server: &'static Server) -> anyhow::Result<()> {
    for path in [STREAM_ROUTE, COMPLETION_ROUTES[0]] {
        let mock = vendor(server.disconnect_noticed, Duration::from_millis(10)).await?;
        let running = server.start(&mock.url(), &[]).await?;
        let mut stream = EventStream::open(running.post(path, &streamed("hi"))).await?;
        stream.next().await?.context("no event")?;
        drop(stream);
        cancelled(&mock, path).await?;
    }
    Ok(())
}

/// Waits until the vendor's ledger shows the disconnect of its only client.
async fn cancelled(mock: &MockLlm, path: &str) -> anyhow::Result<()> {
    let gone = || mock.ledger().active == 0;
    wait::until("the vendor's call ends", gone, || format!("{path}: {:?}", mock.ledger())).await?;
    let ledger = mock.ledger();
    assert_eq!((ledger.started, ledger.cancelled, ledger.completed), (1, 1, 0), "{path}: {ledger:?}");
    assert!(
        ledger.tokens_sent <= TOKENS_MAX,
        "{path}: {} tokens for a client that has disconnected",
        ledger.tokens_sent
    );
    Ok(())
}
