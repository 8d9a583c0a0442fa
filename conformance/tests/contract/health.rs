//! `/debug/health-*`, `/health`, `/ready`.

use anyhow::Context;
use conformance::answer::Answer;
use conformance::event_stream::EventStream;
use conformance::on_every_server;
use conformance::running::{STREAM_ROUTE, streamed};
use conformance::servers::{self, Server};
use conformance::vendor::{ClosedPort, Step, Vendor, script};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use wire::health::{HealthReport, unix_seconds};

on_every_server!(
    the_debug_probes_report_status_time_and_kind,
    health_reports_the_state_of_the_pool,
    live_is_200_without_a_vendor,
    ready_is_200_without_a_vendor_too,
);

pub(crate) async fn the_debug_probes_report_status_time_and_kind(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    for (path, kind) in [("/debug/health-sync", "sync"), ("/debug/health-async", "async")] {
        let before = unix_seconds();
        let body = Answer::to(running.get(path)).await?.json(200)?;
        let timestamp = timestamp_between(&body, before, unix_seconds())?;
        assert_eq!(body, json!({ "status": "ok", "timestamp": timestamp, "type": kind }), "{path}");
    }
    Ok(())
}

pub(crate) async fn health_reports_the_state_of_the_pool(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    let before = unix_seconds();
    let answer = Answer::to(running.get("/health")).await?;
    let body = answer.json(answer.status)?;
    timestamp_between(&body, before, unix_seconds())?;
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(3), "status, timestamp, checks: {body}");
    let (seconds, warning) = checks(&body)?;
    assert!(seconds >= 0.01, "the probe works for 10 ms: {body}");
    // Not "healthy": the machine that runs this may be slow. But the status must fit the figure.
    let expected = if warning { "degraded" } else { "healthy" };
    assert_eq!((&body["status"], answer.status), (&json!(expected), 200), "{body}");
    assert_eq!(warning, seconds > HealthReport::WARN_SECONDS, "{body}");
    Ok(())
}

pub(crate) async fn live_is_200_without_a_vendor(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    assert_eq!(Answer::to(running.get("/live")).await?.json(200)?, json!({ "status": "alive" }));
    Ok(())
}

pub(crate) async fn ready_is_200_without_a_vendor_too(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    assert_eq!(Answer::to(running.get("/ready")).await?.json(200)?, json!({ "status": "ready" }));
    // A failing vendor is no reason to take every replica out of service.
    let failing = (0..5).map(|_| Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))));
    for answer in try_join_all(failing).await? {
        assert_eq!(answer.status, 502);
    }
    assert_eq!(Answer::to(running.get("/ready")).await?.json(200)?, json!({ "status": "ready" }));
    Ok(())
}

/// The probe uses the same pool as the streams and limits its own wait: while an endless stream holds the pool's
/// only thread, it still answers, with the status of a full pool.
#[tokio::test]
async fn health_answers_while_the_pool_is_full() -> anyhow::Result<()> {
    let silent = Vendor::playing(vec![script::head(), script::token("a"), Step::Stall]).await?;
    let running = servers::POOL_EXHAUSTION.start(&silent.url(), &["--blocking-threads", "1"]).await?;
    let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    stream.next().await?.context("no token")?;
    let answer = Answer::to(running.get("/health")).await?;
    let body = answer.json(answer.status)?;
    let (seconds, warning) = checks(&body)?;
    assert_eq!(body["status"], "unhealthy", "{body}");
    assert!(warning && seconds >= 0.9, "the probe waits for 1 s: {body}");
    Ok(())
}

/// The same load does not affect the control and fixed-server: their streams hold no thread.
#[tokio::test]
async fn health_is_unaffected_by_an_async_stream() -> anyhow::Result<()> {
    for (server, flags) in [(&servers::NONE, &["--blocking-threads", "1"][..]), (&servers::FIXED, &[])] {
        let silent = Vendor::playing(vec![script::head(), script::token("a"), Step::Stall]).await?;
        let running = server.start(&silent.url(), flags).await?;
        let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
        stream.next().await?.context("no token")?;
        let body = Answer::to(running.get("/health")).await?.json(200)?;
        assert_ne!(body["status"], "unhealthy", "{}: {body}", server.name);
    }
    Ok(())
}

fn checks(body: &Value) -> anyhow::Result<(f64, bool)> {
    let checks = &body["checks"];
    let seconds = checks["thread_pool_response_time"].as_f64().with_context(|| format!("no response time: {body}"))?;
    let warning = checks["thread_exhaustion_warning"].as_bool().with_context(|| format!("no warning: {body}"))?;
    Ok((seconds, warning))
}

/// The body's timestamp, which must be seconds since 1970 with a fraction, between two times.
fn timestamp_between(body: &Value, before: f64, after: f64) -> anyhow::Result<f64> {
    // A float in the text: `1700000000.0` is one, `1700000000` is not.
    anyhow::ensure!(body["timestamp"].is_f64(), "no float: {body}");
    let timestamp = body["timestamp"].as_f64().context("no number")?;
    anyhow::ensure!(
        (before - 1.0..=after + 1.0).contains(&timestamp),
        "{timestamp} is not between {before} and {after}"
    );
    Ok(timestamp)
}
