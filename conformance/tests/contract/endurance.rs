//! Endless input from the vendor, and pauses of the machine, on fixed-server and the control.

use std::time::Duration;

use anyhow::{Context, ensure};
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::event_stream::EventStream;
use conformance::on_limited_servers;
use conformance::running::{COMPLETION_ROUTES, Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::transcript::{Chat, End};
use conformance::vendor::{Step, Vendor, script};
use mock_llm::MockLlm;
use process::Signal;
use tokio::time::sleep;

on_limited_servers!(
    data_before_the_first_token_is_not_kept_in_memory,
    a_paused_process_truncates_no_healthy_stream,
    endless_informational_responses_are_a_vendor_failure,
    a_large_event_that_arrives_slowly_does_not_time_out,
);

const KIB: u64 = 1024;

/// The memory of a server, in KiB.
fn memory(running: &Running) -> anyhow::Result<u64> {
    Ok(running.program.usage().context("it has ended")?.rss_bytes / KIB)
}

async fn data_before_the_first_token_is_not_kept_in_memory(server: &'static Server) -> anyhow::Result<()> {
    const MIB_SENT: usize = 16;
    let begin = |lines: &str| {
        let mib = lines.repeat(KIB as usize * KIB as usize / lines.len());
        let mut steps = vec![script::head()];
        steps.extend((0..MIB_SENT).map(|_| script::chunk(mib.as_bytes())));
        steps.extend([script::token("a"), script::done(), script::last_chunk()]);
        steps
    };
    let scripts = || [("comments", begin(": still thinking\n\n")), ("blank lines", begin("\r\n\n"))];
    let vendor = Vendor::by_prompt(scripts()).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    Answer::to(running.get("/ready")).await?;
    let before = memory(&running)?;
    for (prompt, _) in scripts() {
        for path in [STREAM_ROUTE, COMPLETION_ROUTES[0]] {
            let answer = Answer::to(running.post(path, &streamed(prompt))).await?;
            ensure!(answer.text().ends_with("data: [DONE]\n\n"), "{path}, {prompt}: {:.300}", answer.text());
            let grown = memory(&running)?.saturating_sub(before);
            ensure!(grown < 12 * KIB, "{path}, {prompt}: {MIB_SENT} MiB sent, {grown} KiB more");
        }
    }
    Ok(())
}

/// First the server alone is paused for longer than its limits, then the vendor too.
async fn a_paused_process_truncates_no_healthy_stream(server: &'static Server) -> anyhow::Result<()> {
    const TOKENS: u32 = 30;
    let mock = MockLlm::builder().tokens(TOKENS).ttft(Duration::from_millis(1)).inter_token(Duration::from_millis(100));
    let mock = mock.start().await?;
    let flags = ["--idle-timeout", "600ms"];
    let running = server.start(&mock.url(), &flags).await?;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
        let first = stream.next().await?.context("no event")?;
        streams.push((vec![first], stream));
    }
    running.program.signal(Signal::Stop)?;
    sleep(Duration::from_millis(1500)).await;
    running.program.signal(Signal::Cont)?;
    for (mut events, mut stream) in streams {
        while let Some(event) = stream.next().await? {
            events.push(event);
        }
        let chat = Chat::of(&events)?;
        ensure!(chat.end == End::Done, "{:?} after {} tokens", chat.end, chat.tokens.len());
        ensure!(chat.tokens.len() == TOKENS as usize, "{} tokens", chat.tokens.len());
    }
    Ok(())
}

async fn endless_informational_responses_are_a_vendor_failure(server: &'static Server) -> anyhow::Result<()> {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n".repeat(1000);
    let hint = Step::Send(hints.into_bytes());
    let forever: Vec<_> = (0..200).flat_map(|_| [hint.clone(), Step::Pause(Duration::from_millis(50))]).collect();
    let vendor = Vendor::playing(forever).await?;
    let limits = ["--first-token-timeout", "500ms", "--call-timeout", "1s", "--queue-timeout", "300ms"];
    let running = server.start(&vendor.url(), &[&limits[..], &["--attempts", "1"]].concat()).await?;
    for (path, body) in [(STREAM_ROUTE, streamed("hi")), (WHOLE_ROUTE, whole("hi"))] {
        let asked = tokio::spawn(Answer::to(running.post(path, &body)));
        // Meanwhile it answers others.
        for _ in 0..5 {
            Answer::to(running.get("/debug/health-async")).await?.json(200).context(path)?;
        }
        let error = refusal(&asked.await??, 502).context(path)?;
        ensure!(error.kind == "upstream_failure", "{path}: {error:?}");
    }
    Ok(())
}

/// Silence means that no byte arrives: the event as a whole takes several times the limit.
async fn a_large_event_that_arrives_slowly_does_not_time_out(server: &'static Server) -> anyhow::Result<()> {
    let event = [&b"data: {\"choices\":[{\"delta\":{\"image\":\""[..], &[b'A'; 100_000], b"\"}}]}\n\n"].concat();
    let mut steps = vec![script::head(), script::token("a")];
    for piece in event.chunks(event.len() / 12) {
        steps.extend([script::chunk(piece), Step::Pause(Duration::from_millis(150))]);
    }
    steps.extend([script::done(), script::last_chunk()]);
    let vendor = Vendor::playing(steps).await?;
    let running = server.start(&vendor.url(), &["--idle-timeout", "600ms"]).await?;
    for path in [STREAM_ROUTE, COMPLETION_ROUTES[0]] {
        let text = Answer::to(running.post(path, &streamed("hi"))).await?.text();
        ensure!(text.ends_with("data: [DONE]\n\n"), "{path}: ...{}", &text[text.len().saturating_sub(300)..]);
    }
    Ok(())
}
