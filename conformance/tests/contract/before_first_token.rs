//! The vendor fails before the first token: an HTTP error.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, Running, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::vendor::{ClosedPort, Step, Vendor, script};
use conformance::wait::TIMEOUT;
use futures_util::future::{join_all, try_join_all};
use serde_json::Value;
use tokio::time::sleep;
use wire::error::ErrorDetail;

on_every_server!(
    an_unreachable_vendor_is_502_within_two_seconds,
    a_silent_vendor_is_502_after_the_first_token_timeout,
    a_vendor_that_fails_is_502,
    a_rejection_by_the_vendor_is_passed_on,
    a_connection_closed_between_calls_is_no_failure,
    a_proxy_in_the_environment_is_not_used,
);

/// Far below the servers' own time limits, which start at 5 s.
const SOON: Duration = Duration::from_secs(4);

/// Every route that calls the vendor, with a body whose prompt is `prompt`.
fn calls(prompt: &str) -> [(&'static str, Value); 4] {
    [
        (STREAM_ROUTE, streamed(prompt)),
        (WHOLE_ROUTE, whole(prompt)),
        (COMPLETION_ROUTES[0], streamed(prompt)),
        (COMPLETION_ROUTES[1], whole(prompt)),
    ]
}

async fn failed(running: &Running, path: &str, body: &Value, status: u16) -> anyhow::Result<ErrorDetail> {
    let answer = Answer::to(running.post(path, body)).await?;
    let error = refusal(&answer, status)?;
    ensure!(status != 502 || error.kind == "upstream_failure", "its type is {}", error.kind);
    Ok(error)
}

async fn an_unreachable_vendor_is_502_within_two_seconds(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    for (path, body) in calls("hi") {
        let asked = Instant::now();
        failed(&running, path, &body, 502).await.context(path)?;
        assert!(asked.elapsed() < SOON, "{path}: {:?}", asked.elapsed());
    }
    Ok(())
}

async fn a_silent_vendor_is_502_after_the_first_token_timeout(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::by_prompt([
        ("no head", vec![Step::Stall]),
        ("no token", vec![script::head(), Step::Stall]),
        ("only a role", vec![script::head(), script::role(), Step::Stall]),
    ])
    .await?;
    let running = server.start(&vendor.url(), &["--first-token-timeout", "300ms"]).await?;
    let check = async |prompt: &str, path: &str| {
        let asked = Instant::now();
        failed(&running, path, &streamed(prompt), 502).await.with_context(|| format!("{path}, {prompt}"))?;
        ensure!(asked.elapsed() >= Duration::from_millis(290), "{path}, {prompt}: {:?}", asked.elapsed());
        anyhow::Ok(())
    };
    // All at once: what takes time is the wait for the timeout, and between attempts.
    let asked = ["no head", "no token", "only a role"]
        .into_iter()
        .flat_map(|prompt| [STREAM_ROUTE, COMPLETION_ROUTES[0]].map(|path| check(prompt, path)));
    try_join_all(asked).await?;
    Ok(())
}

/// Failures of a vendor before its first token. A redirection to `elsewhere` is one of them: a client's request
/// must not reach another host.
fn failures(elsewhere: &str) -> Vec<(&'static str, Vec<Step>)> {
    let garbage = script::chunk(b"data: {\"choices\":\n\n");
    vec![
        ("500", script::answer(500, "application/json", &script::error_body("model crashed"))),
        ("503 in HTML", script::answer(503, "text/html", "<h1>503</h1> upstream 10.0.0.7 is down")),
        ("redirects", script::redirect(elsewhere)),
        ("closes without an answer", vec![]),
        ("resets", vec![Step::Reset]),
        ("is no HTTP", vec![Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec())]),
        ("closes in the head", vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec())]),
        ("closes after the head", vec![script::head()]),
        ("ends after the head", vec![script::head(), script::last_chunk()]),
        ("closes after the role", vec![script::head(), script::role()]),
        ("ends after the role", vec![script::head(), script::role(), script::last_chunk()]),
        ("garbage for the first event", vec![script::head(), garbage, script::last_chunk()]),
        ("an error for the first event", vec![script::head(), script::error_event(), script::last_chunk()]),
        ("200 in HTML", script::answer(200, "text/html", "<h1>welcome</h1>")),
        ("200 with other JSON", script::answer(200, "application/json", r#"{"hello":"world"}"#)),
    ]
}

pub(crate) async fn a_vendor_that_fails_is_502(server: &'static Server) -> anyhow::Result<()> {
    let other = Vendor::playing(script::stream(&["a"])).await?;
    let elsewhere = format!("{}/v1/chat/completions", other.url());
    let vendor = Vendor::by_prompt(failures(&elsewhere)).await?;
    // Where a server retries, enough for all of them at once: after the last attempt it is a 502 too.
    let retries = server.metrics.contains(&"llm_retries_total");
    let flags: &[&str] = if retries { &["--retry-reserve", "200"] } else { &[] };
    let running = server.start(&vendor.url(), flags).await?;
    let check = async |prompt: &str, path: &str, body: Value| {
        let checked = failed(&running, path, &body, 502).await.and_then(|error| {
            ensure!(!error.message.contains("10.0.0.7"), "the vendor's own page is passed on: {}", error.message);
            Ok(())
        });
        checked.err().map(|error| format!("{path}, vendor {prompt}: {error:#}"))
    };
    // All at once: what takes time is the wait between attempts.
    let prompts = failures(&elsewhere).into_iter().map(|(prompt, _)| prompt);
    let asked = prompts.flat_map(|prompt| calls(prompt).map(|(path, body)| check(prompt, path, body)));
    let wrong: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(other.calls().is_empty(), "a redirection was followed");
    Ok(())
}

pub(crate) async fn a_rejection_by_the_vendor_is_passed_on(server: &'static Server) -> anyhow::Result<()> {
    let body = script::error_body("context too long");
    let vendor = Vendor::by_prompt([
        ("400", script::answer(400, "application/json", &body)),
        ("404", script::answer(404, "application/json", &body)),
        ("422", script::answer(422, "application/json", &body)),
        ("400 in HTML", script::answer(400, "text/html", "<h1>Bad Request</h1> upstream 10.0.0.7")),
    ])
    .await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for (prompt, status) in [("400", 400), ("404", 404), ("422", 422), ("400 in HTML", 400)] {
        for (path, body) in calls(prompt) {
            let asked = vendor.calls_with(prompt);
            let error =
                failed(&running, path, &body, status).await.with_context(|| format!("{path}, vendor {prompt}"))?;
            assert_eq!(vendor.calls_with(prompt), asked + 1, "{path}: a refusal is not retried");
            if prompt.ends_with("HTML") {
                assert!(!error.message.contains("10.0.0.7"), "{path}: {}", error.message);
                continue;
            }
            let said = (&*error.message, &*error.kind, error.code.as_deref(), error.param.as_deref());
            let expected = ("context too long", "invalid_request_error", Some("scripted"), Some("messages"));
            assert_eq!(said, expected, "{path}, vendor {prompt}: the client gets the vendor's message");
        }
    }
    Ok(())
}

async fn a_connection_closed_between_calls_is_no_failure(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::by_prompt([
        ("stream", script::closed_although_kept(script::stream(&["a"]))),
        ("whole", script::closed_although_kept(script::completion("a"))),
    ])
    .await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for round in 0..3 {
        // The last call's connection is in a pool, and closed. Until the server learns of that, a call may fail,
        // and no server can tell whether the vendor has received it.
        sleep(Duration::from_millis(50)).await;
        let stream = Answer::to(running.post(STREAM_ROUTE, &streamed("stream"))).await?;
        stream.events().with_context(|| format!("{STREAM_ROUTE}, round {round}"))?;
        sleep(Duration::from_millis(50)).await;
        let whole = Answer::to(running.post(WHOLE_ROUTE, &whole("whole"))).await?;
        whole.json(200).with_context(|| format!("{WHOLE_ROUTE}, round {round}"))?;
    }
    Ok(())
}

async fn a_proxy_in_the_environment_is_not_used(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let vendor = Vendor::by_prompt([("stream", script::stream(&["a"])), ("whole", script::completion("a"))]).await?;
    let mut launch = server.launch(&vendor.url())?;
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
        launch = launch.env(name, nobody.url()?);
    }
    let running = Running::new(server, launch.start(TIMEOUT).await?)?;
    Answer::to(running.post(STREAM_ROUTE, &streamed("stream"))).await?.events()?;
    Answer::to(running.post(WHOLE_ROUTE, &whole("whole"))).await?.json(200)?;
    Ok(())
}
