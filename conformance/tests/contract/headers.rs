//! Request ids and headers of every response.

use std::collections::BTreeSet;

use anyhow::Context;
use conformance::answer::Answer;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, streamed, whole};
use conformance::servers::Server;
use conformance::vendor::{ClosedPort, Vendor, script};
use reqwest::Method;
use wire::{REQUEST_ID_HEADER, STREAM_METHOD_HEADER};

on_every_server!(
    a_stream_has_the_headers_of_a_stream,
    a_request_id_is_echoed_and_passed_on,
    a_request_without_an_id_gets_a_new_one,
    an_invalid_request_id_is_replaced,
    every_answer_has_a_request_id,
);

/// Responses to health probes and errors have an id too: a support ticket needs one.
const ROUTES_WITHOUT_BODY: [&str; 7] =
    ["/debug/health-sync", "/debug/health-async", "/health", "/live", "/ready", "/metrics", "/no/such/route"];

pub(crate) async fn a_stream_has_the_headers_of_a_stream(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for path in [STREAM_ROUTE, COMPLETION_ROUTES[0], COMPLETION_ROUTES[1]] {
        let answer = Answer::to(running.post(path, &streamed("hi"))).await?;
        answer.events().context(path)?;
        let kind = answer.header("content-type").context("no content type")?;
        assert!(["text/event-stream", "text/event-stream; charset=utf-8"].contains(&kind), "{path}: {kind}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(answer.header("x-accel-buffering"), Some("no"), "{path}");
        assert_eq!(answer.header(STREAM_METHOD_HEADER), Some(server.stream_method), "{path}");
        assert_eq!(answer.header("content-length"), None, "{path}: nobody knows the length of a stream");
    }
    Ok(())
}

pub(crate) async fn a_request_id_is_echoed_and_passed_on(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::by_prompt([("stream", script::stream(&["a"])), ("whole", script::completion("a"))]).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let routes = [(STREAM_ROUTE, streamed("stream")), (WHOLE_ROUTE, whole("whole"))];
    let completions = COMPLETION_ROUTES.map(|path| [(path, streamed("stream")), (path, whole("whole"))]);
    for (path, body) in routes.into_iter().chain(completions.into_iter().flatten()) {
        let id = format!("test-{}/{path}", vendor.calls().len());
        let answer = Answer::to(running.post(path, &body).header(REQUEST_ID_HEADER, &id)).await?;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
        assert_eq!(answer.header(REQUEST_ID_HEADER), Some(&*id), "{path} {body}");
        let call = vendor.calls().pop().context("the vendor was not called")?;
        assert_eq!(call.header(REQUEST_ID_HEADER), Some(&*id), "{path} {body}: what the vendor got");
    }
    Ok(())
}

async fn a_request_without_an_id_gets_a_new_one(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
        let id = answer.header(REQUEST_ID_HEADER).context("no request id")?.to_owned();
        let call = vendor.calls().pop().context("the vendor was not called")?;
        assert_eq!(call.header(REQUEST_ID_HEADER), Some(&*id), "the vendor gets the id that the client gets");
        assert!(ids.insert(id), "an id was given twice: {ids:?}");
    }
    Ok(())
}

async fn an_invalid_request_id_is_replaced(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    // What must not get into a log line: too long, empty, spaces, bytes that are no text.
    for id in [vec![b'x'; 500], vec![], b"two words".to_vec(), b"caf\xc3\xa9".to_vec()] {
        let answer = Answer::to(running.get("/ready").header(REQUEST_ID_HEADER, &id[..])).await?;
        let answered = answer.header(REQUEST_ID_HEADER).context("no request id")?;
        assert_ne!(answered.as_bytes(), id, "echoed unchanged");
        assert!(!answered.is_empty() && answered.len() <= 128, "{answered:?}");
    }
    Ok(())
}

async fn every_answer_has_a_request_id(server: &'static Server) -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    let running = server.start(&nobody.url()?, &[]).await?;
    for path in ROUTES_WITHOUT_BODY {
        let answer = Answer::to(running.get(path).header(REQUEST_ID_HEADER, "mine")).await?;
        assert_eq!(answer.header(REQUEST_ID_HEADER), Some("mine"), "{path}: {}", answer.status);
    }
    let wrong_method = Answer::to(running.request(Method::DELETE, "/health").header(REQUEST_ID_HEADER, "mine")).await?;
    assert_eq!(wrong_method.header(REQUEST_ID_HEADER), Some("mine"));
    let failed = Answer::to(running.post(STREAM_ROUTE, &streamed("hi")).header(REQUEST_ID_HEADER, "mine")).await?;
    assert_eq!((failed.status, failed.header(REQUEST_ID_HEADER)), (502, Some("mine")));
    Ok(())
}
