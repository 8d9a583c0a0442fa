//! The watchdog over a worker process, and how it ends. What it kills and what it does not is the lab `worker-watchdog`.

use std::net::TcpStream;
use std::time::Duration;

use conformance::answer::Answer;
use conformance::on_limited_servers;
use conformance::running::{WHOLE_ROUTE, whole};
use conformance::servers::Server;
use conformance::wait::{TIMEOUT, until};
use mock_llm::MockLlm;
use process::Signal;

on_limited_servers!(a_signal_lets_the_call_under_way_end, a_worker_ends_with_its_watchdog,);

/// Long: a busy machine must not silence a worker.
const FLAGS: [&str; 2] = ["--worker-timeout", "20s"];

async fn a_signal_lets_the_call_under_way_end(server: &'static Server) -> anyhow::Result<()> {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::from_millis(500)).start().await?;
    let running = server.start(&mock.url(), &FLAGS).await?;
    assert_eq!(running.metric("workers_killed_total").await?, 0.0);
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
    let refused = || TcpStream::connect(address).is_err();
    until("the worker ends", refused, || format!("{:?}", running.program.log())).await
}
