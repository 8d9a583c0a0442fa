//! The vendor fails after the first token: the stream ends with an error event.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use conformance::answer::Answer;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, streamed};
use conformance::servers::Server;
use conformance::transcript::{Chat, Completion, End};
use conformance::vendor::{Step, Vendor, script};

on_every_server!(
    a_vendor_that_fails_ends_the_stream_with_an_error_event,
    openai_streams_end_with_an_error_event_too,
    a_silent_vendor_ends_the_stream_with_an_error_event,
    a_slow_stream_is_not_truncated,
);

const TOKENS: [&str; 2] = ["one", " two"];

/// The event size limit that the servers here are started with.
const EVENT_BYTES_MAX: usize = 65_536;
const FLAGS: [&str; 2] = ["--max-event-bytes", "65536"];

/// Failures of a vendor after its first tokens.
fn failures() -> Vec<(&'static str, Vec<Step>)> {
    // A reset overtakes data sent before it, and a client may discard a broken piece with everything in it:
    // the tokens must arrive first.
    let arrive = || Step::Pause(Duration::from_millis(100));
    vec![
        ("closes", begun([])),
        ("closes in an event", begun([script::chunk(b"data: {\"id\":\"x\"")])),
        ("closes in a chunk", begun([Step::Send(b"40\r\ndata: {".to_vec())])),
        ("ends without [DONE]", begun([script::last_chunk()])),
        ("ends in an event", begun([script::chunk(b"data: {\"id\":\"x\""), script::last_chunk()])),
        ("resets", begun([arrive(), Step::Reset])),
        ("sends garbage", begun([script::chunk(b"data: garbage\n\n")])),
        ("sends half a chunk as JSON", begun([script::chunk(b"data: {\"choices\":\n\n")])),
        ("sends what is no UTF-8", begun([script::chunk(b"data: \xff\xfe\n\n")])),
        ("breaks the encoding", begun([arrive(), Step::Send(b"zz\r\nhello".to_vec())])),
        ("sends an error", begun([script::error_event(), script::last_chunk()])),
        ("sends an event without end", begun([script::chunk(&vec![b'x'; EVENT_BYTES_MAX + 1]), Step::Stall])),
    ]
}

/// A stream that starts well, followed by this failure.
fn begun(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let begin = [script::head(), script::role()].into_iter().chain(TOKENS.map(script::token));
    begin.chain(steps).collect()
}

fn check_end(end: End) -> anyhow::Result<()> {
    match end {
        End::Failed(error) => {
            ensure!(error.kind == "upstream_failure", "its type is {}", error.kind);
            Ok(())
        }
        End::Done => anyhow::bail!("[DONE], although the stream was cut"),
        End::Silent => anyhow::bail!("no error event"),
    }
}

pub(crate) async fn a_vendor_that_fails_ends_the_stream_with_an_error_event(
    server: &'static Server,
) -> anyhow::Result<()> {
    let vendor = Vendor::by_prompt(failures()).await?;
    let running = server.start(&vendor.url(), &FLAGS).await?;
    let mut wrong = Vec::new();
    for (prompt, _) in failures() {
        let checked = Answer::to(running.post(STREAM_ROUTE, &streamed(prompt))).await.and_then(|answer| {
            let chat = Chat::of(&answer.events()?)?;
            ensure!(chat.tokens == TOKENS, "the tokens before it are {:?}", chat.tokens);
            ensure!(
                vendor.calls_with(prompt) == 1,
                "{} calls: no retry after the first token",
                vendor.calls_with(prompt)
            );
            check_end(chat.end)
        });
        wrong.extend(checked.err().map(|error| format!("vendor {prompt}: {error:#}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn openai_streams_end_with_an_error_event_too(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::by_prompt(failures()).await?;
    let running = server.start(&vendor.url(), &FLAGS).await?;
    let mut wrong = Vec::new();
    for (prompt, _) in failures() {
        let path = COMPLETION_ROUTES[0];
        let checked = Answer::to(running.post(path, &streamed(prompt))).await.and_then(|answer| {
            let completion = Completion::of(&answer.events()?)?;
            ensure!(completion.tokens() == TOKENS, "the tokens before it are {:?}", completion.tokens());
            check_end(completion.end)
        });
        wrong.extend(checked.err().map(|error| format!("{path}, vendor {prompt}: {error:#}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn a_silent_vendor_ends_the_stream_with_an_error_event(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(begun([Step::Stall])).await?;
    let running = server.start(&vendor.url(), &["--idle-timeout", "300ms"]).await?;
    let asked = Instant::now();
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    let chat = Chat::of(&answer.events()?)?;
    assert_eq!(chat.tokens, TOKENS);
    check_end(chat.end)?;
    assert!(asked.elapsed() >= Duration::from_millis(290), "before its time: {:?}", asked.elapsed());
    let answer = Answer::to(running.post(COMPLETION_ROUTES[0], &streamed("hi"))).await?;
    check_end(Completion::of(&answer.events()?)?.end).context(COMPLETION_ROUTES[0])
}

/// The idle timeout limits silence, not length: a stream that takes several times the timeout is complete.
async fn a_slow_stream_is_not_truncated(server: &'static Server) -> anyhow::Result<()> {
    const COUNT: usize = 12;
    let mut steps = vec![script::head()];
    for _ in 0..COUNT {
        steps.extend([script::token("x"), Step::Pause(Duration::from_millis(100))]);
    }
    steps.extend([script::done(), script::last_chunk()]);
    let vendor = Vendor::playing(steps).await?;
    let running = server.start(&vendor.url(), &["--idle-timeout", "600ms"]).await?;
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(Chat::of(&answer.events()?)?, Chat { tokens: vec!["x".into(); COUNT], end: End::Done });
    Ok(())
}
