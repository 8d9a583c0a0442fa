//! The watchdog over a worker process: what it lets through, and how it ends.

use std::time::Duration;

use conformance::answer::Answer;
use conformance::on_limited_servers;
use conformance::running::{STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::wait::{TIMEOUT, until};
use mock_llm::MockLlm;
use process::Signal;
use tokio::net::TcpStream;

on_limited_servers!(
    a_call_twice_as_long_as_the_watchdogs_time_out_is_answered,
    a_signal_lets_the_call_under_way_end,
    a_worker_ends_with_its_watchdog,
);

/// How long a worker may be silent.
const SILENCE: Duration = Duration::from_millis(1000);
const FLAGS: [&str; 2] = ["--worker-timeout", "1000ms"];

/// The time-out is about heartbeats, and not about requests.
async fn a_call_twice_as_long_as_the_watchdogs_time_out_is_answered(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(2 * SILENCE).start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    let (stream, answer) = tokio::join!(
        Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))),
        Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))),
    );
    assert_eq!((stream?.status, answer?.status), (200, 200), "{:?}", running.program.log());
    assert_eq!(running.metric("workers_killed_total").await?, 0.0);
    Ok(())
}

async fn a_signal_lets_the_call_under_way_end(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(SILENCE).start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    let call = tokio::spawn(Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))));
    until("a call at the vendor", || mock.ledger().active == 1, || format!("{:?}", mock.ledger())).await?;
    running.program.signal(Signal::Term)?;
    assert_eq!(call.await??.status, 200);
    assert_eq!(running.program.wait(TIMEOUT).await?.code(), Some(0), "{:?}", running.program.log());
    Ok(())
}

async fn a_worker_ends_with_its_watchdog(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    let address = running.address();
    running.program.kill();
    for _ in 0..200 {
        if TcpStream::connect(address).await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the worker still listens: {:?}", running.program.log())
}
