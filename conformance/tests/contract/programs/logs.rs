//! The log on stderr.

use anyhow::Context;
use conformance::answer::Answer;
use conformance::listed;
use conformance::program::launch;
use conformance::running::{DEMO_KEY, STREAM_ROUTE, streamed};
use conformance::servers;
use conformance::vendor::{ClosedPort, Vendor, script};
use conformance::wait::TIMEOUT;
use mock_llm::MockLlm;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wire::prometheus::Scrape;

use super::ALL;

#[tokio::test]
async fn json_logs_are_json_except_for_the_listening_line() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for facts in ALL {
        let launch = facts.launch(&nobody)?.args(["--log-format", "json", "--log-level", "debug"]);
        let program = launch.start(TIMEOUT).await?;
        // A request makes them log something.
        let client = gateway::http_client().build()?;
        client.get(format!("http://{}/health", program.addr())).send().await?;
        assert_eq!(program.stop(TIMEOUT).await?.code(), Some(0), "{}", facts.program);
        let (plain, json): (Vec<_>, Vec<_>) =
            program.log().into_iter().partition(|line| line.contains("listening on http://") && !line.starts_with('{'));
        assert_eq!(plain.len(), 1, "{}: {plain:?}", facts.program);
        assert!(!json.is_empty(), "{}: nothing is logged at debug", facts.program);
        for line in json {
            let line: Value = serde_json::from_str(&line).with_context(|| format!("{}: {line}", facts.program))?;
            assert!(line.is_object(), "{}: {line}", facts.program);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_log_outside_a_terminal_has_no_colour() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for facts in ALL {
        let program = facts.launch(&nobody)?.args(["--log-level", "debug"]).start(TIMEOUT).await?;
        program.stop(TIMEOUT).await?;
        assert!(program.log().iter().all(|line| !line.contains('\u{1b}')), "{}: {:?}", facts.program, program.log());
    }
    Ok(())
}

/// A client's input can imitate log lines, or contain control sequences for the reader's terminal.
#[tokio::test]
async fn no_request_can_forge_a_log_line() -> anyhow::Result<()> {
    const FORGED: &str = "m\r\n2026-01-01T00:00:00.000000Z  INFO forged: key revoked\u{1b}[2J\u{9b}1A\u{2028}";
    // The vendor repeats the model's name in its error, which the servers log.
    let strict = MockLlm::builder().only_models(["known"]).start().await?;
    for facts in ALL {
        let launch = launch(facts.program)?.args(["--listen", "127.0.0.1:0", "--log-level", "trace"]);
        let upstream = if facts.has_upstream { vec!["--upstream".to_owned(), strict.url()] } else { Vec::new() };
        let program = launch.args(upstream).env("MOCK_LLM_TOKENS", "1").start(TIMEOUT).await?;
        let client = gateway::http_client().build()?;
        let asked = json!({
            "model": FORGED, "messages": [{"role": "user", "content": FORGED}], "user": FORGED, FORGED: FORGED,
        });
        for path in ["/v1/chat/completions", "/chat/stream", "/llm", "/forged%0aline%1b%5b2J"] {
            let request = client.post(format!("http://{}{path}", program.addr())).bearer_auth(DEMO_KEY);
            // Everything that a header allows.
            let request = request.header("x-request-id", "id\twith\u{9b}1A").header("x-session-id", "s\t1");
            request.json(&asked).send().await?.bytes().await?;
        }
        program.stop(TIMEOUT).await?;
        for line in program.log() {
            assert!(!line.starts_with("2026-01-01"), "{}: {line}", facts.program);
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{2028}'), "{}: {line:?}", facts.program);
        }
    }
    Ok(())
}

/// A pipe holds 64 KiB: a program that waited for its reader would stop after some hundred requests. Each request
/// writes at least one line, and 2,048 may wait.
#[tokio::test]
async fn an_unread_log_blocks_nothing_and_counts_lost_lines() -> anyhow::Result<()> {
    const REQUESTS: usize = 3_000;
    const AT_ONCE: usize = 100;
    // The servers log that their vendor is unreachable, the mock logs its requests.
    let route = format!("/llm?{}", "x".repeat(1_000));
    let nobody = ClosedPort::take()?;
    for facts in ALL {
        let program = facts.launch(&nobody)?.args(["--log-level", "trace"]).unread_once_ready().start(TIMEOUT).await?;
        let client = gateway::http_client().timeout(TIMEOUT).build()?;
        let url = format!("http://{}", program.addr());
        let mut asking = JoinSet::new();
        for _ in 0..AT_ONCE {
            let request = client.post(format!("{url}{route}")).header("x-request-id", "x".repeat(128));
            let request = request.json(&json!({"prompt": "hi"}));
            asking.spawn(async move {
                for _ in 0..REQUESTS / AT_ONCE {
                    let request = request.try_clone().context("its body is no stream")?;
                    request.send().await?.bytes().await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(asked) = asking.join_next().await {
            asked?.with_context(|| format!("{} is blocked", facts.program))?;
        }
        let metrics = client.get(format!("{url}/metrics")).send().await?.text().await?;
        let dropped = Scrape::parse(&metrics)?.sum("log_lines_dropped_total");
        assert!(dropped > Some(0.0), "{}: {dropped:?}: nothing was lost, so nothing was tested", facts.program);
    }
    Ok(())
}

/// fixed-server logs each request once; broken-server logs none, so that its symptom is visible.
#[tokio::test]
async fn a_successful_request_logs_at_most_one_line() -> anyhow::Result<()> {
    const REQUESTS: usize = 20;
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    for (server, expected) in [(&servers::NONE, 0), (&servers::FIXED, REQUESTS)] {
        let running = server.start(&vendor.url(), &[]).await?;
        for _ in 0..REQUESTS {
            Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?.events()?;
        }
        running.program.stop(TIMEOUT).await?;
        let lines = running.program.log();
        let ended = lines.iter().filter(|line| line.contains("request ended")).count();
        assert_eq!(ended, expected, "{}: {lines:#?}", server.name);
        assert!(lines.len() < expected + REQUESTS, "{}: {lines:#?}", server.name);
    }
    Ok(())
}

#[tokio::test]
async fn broken_server_logs_its_mistake() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for server in listed::of_broken_server()? {
        let running = server.start(&nobody.url()?, &[]).await?;
        assert_eq!(running.program.stop(TIMEOUT).await?.code(), Some(0), "{}", server.name);
        let mistake = server.args[1];
        assert!(running.program.log().iter().any(|line| line.contains(mistake)), "{:?}", running.program.log());
    }
    Ok(())
}
