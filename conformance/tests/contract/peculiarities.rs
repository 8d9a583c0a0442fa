//! The behaviour of real vendors, from the files in conformance/peculiarities/, on fixed-server and the control.

use anyhow::{Context, bail, ensure};
use conformance::answer::Answer;
use conformance::peculiarity::{Ask, Peculiarity};
use conformance::running::{COMPLETION_ROUTES, Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::{self, Server};
use conformance::vendor::Vendor;
use conformance::wait::until;
use serde_json::Value;
use tokio::task::JoinSet;
use wire::sse::Event;
use wire::stream::CompletionEvent;

/// Cases that run at the same time, each with its own server: most of their time they wait before a second attempt.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none() -> anyhow::Result<()> {
    every_peculiarity_is_met(&servers::NONE).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fixed_server() -> anyhow::Result<()> {
    every_peculiarity_is_met(&servers::FIXED).await
}

async fn every_peculiarity_is_met(server: &'static Server) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    let mut cases = Peculiarity::all()?.into_iter();
    let mut running: JoinSet<_> = cases.by_ref().take(AT_ONCE).map(|case| on_both_routes(server, case)).collect();
    while let Some(checked) = running.join_next().await {
        wrong.extend(checked?.err().map(|error| format!("{error:#}")));
        cases.next().map(|case| running.spawn(on_both_routes(server, case)));
    }
    assert!(wrong.is_empty(), "{}: {} wrong:\n{}", server.name, wrong.len(), wrong.join("\n"));
    Ok(())
}

async fn on_both_routes(server: &'static Server, case: Peculiarity) -> anyhow::Result<()> {
    let own = if case.ask == Ask::Stream { STREAM_ROUTE } else { WHOLE_ROUTE };
    for route in [own, COMPLETION_ROUTES[0]] {
        on_one(server, &case, route).await.with_context(|| format!("{}.json on {route}", case.name))?;
    }
    Ok(())
}

async fn on_one(server: &'static Server, case: &Peculiarity, route: &str) -> anyhow::Result<()> {
    let vendor = Vendor::by_attempt(case.scripts()).await?;
    let flags: Vec<&str> = case.flags.iter().map(String::as_str).collect();
    let running = server.start(&vendor.url(), &flags).await?;
    let body = if case.ask == Ask::Stream { streamed("hi") } else { whole("hi") };
    let answer = Answer::to(running.post(route, &body)).await?;
    check_answer(case, route, &answer)
        .with_context(|| format!("the answer is {} {}", answer.status, shortened(&answer)))?;
    for (name, value) in &case.client.headers {
        let found = answer.header(name).unwrap_or_default();
        ensure!(found == value, "header {name} is {found:?}, expected {value:?}");
    }
    let asked = vendor.calls().len();
    ensure!(asked == case.attempts, "the vendor was asked {asked} times, expected {}", case.attempts);
    check_outcome(&running, &case.outcome).await?;
    if let Some(reason) = &case.log {
        let logged = || running.program.log().iter().any(|line| line.contains(reason.as_str()));
        until("the reason in the log", logged, || running.program.log().join("\n")).await?;
    }
    Ok(())
}

fn check_answer(case: &Peculiarity, route: &str, answer: &Answer) -> anyhow::Result<()> {
    let client = &case.client;
    ensure!(answer.status == client.status, "expected status {}", client.status);
    ensure!(answer.truncated.is_none(), "the body was truncated: {:?}", answer.truncated);
    let passed_on = route.starts_with("/v1") || client.status != 200 || case.ask == Ask::Whole;
    if client.verbatim && passed_on {
        let expected = [case.last_body(), client.followed_by.clone().into_bytes()].concat();
        ensure!(answer.body == expected, "it was changed, expected: {}", String::from_utf8_lossy(&expected));
    }
    if client.status != 200 {
        let body: Value = serde_json::from_slice(&answer.body)?;
        let code = body["error"]["code"].as_str();
        ensure!(client.verbatim || code == client.error.as_deref(), "its code is {code:?}, not {:?}", client.error);
        return Ok(());
    }
    if case.ask == Ask::Stream { check_stream(case, route, &answer.events()?) } else { Ok(()) }
}

fn check_stream(case: &Peculiarity, route: &str, events: &[Event]) -> anyhow::Result<()> {
    let Some((last, before)) = events.split_last() else { bail!("there is no event") };
    let text: String = before.iter().map(|event| text_of(route, event)).collect::<anyhow::Result<_>>()?;
    ensure!(text == case.client.text, "its text is {text:?}");
    match &case.client.error {
        None => ensure!(last.data == "[DONE]", "it does not end with [DONE]"),
        Some(code) => {
            let body: Value = serde_json::from_str(&last.data)?;
            ensure!(last.name.as_deref() == Some("error"), "it does not end with an error event");
            ensure!(body["error"]["code"] == **code, "it ends with {body}");
        }
    }
    Ok(())
}

fn text_of(route: &str, event: &Event) -> anyhow::Result<String> {
    if route.starts_with("/v1") {
        return Ok(CompletionEvent::read(event)?.text().unwrap_or_default().to_owned());
    }
    let token: Value = serde_json::from_str(&event.data)?;
    Ok(token["content"].as_str().context("a token without content")?.to_owned())
}

async fn check_outcome(running: &Running, outcome: &str) -> anyhow::Result<()> {
    let counted = format!("llm_outcomes_total{{outcome=\"{outcome}\"}} 1");
    let mut metrics = String::new();
    for _ in 0..100 {
        metrics = Answer::to(running.get("/metrics")).await?.text();
        if metrics.lines().any(|line| line == counted) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let outcomes: Vec<_> = metrics.lines().filter(|line| line.starts_with("llm_outcomes_total")).collect();
    bail!("no outcome {outcome}: {outcomes:?}")
}

/// The text of a response, shortened for an error message.
fn shortened(answer: &Answer) -> String {
    let text = answer.text();
    let tail: String = text.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
    if text.len() > 600 { format!("{:.300} ... {tail}", text) } else { text }
}
