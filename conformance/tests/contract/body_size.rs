//! Bodies at and over the limit.

use std::time::Duration;

use anyhow::Context;
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_every_server;
use conformance::raw;
use conformance::running::{COMPLETION_ROUTES, DEMO_KEY, Running, STREAM_ROUTE, WHOLE_ROUTE};
use conformance::servers::Server;
use conformance::vendor::{Vendor, script};
use mock_llm::MockLlm;
use reqwest::Method;
use wire::{BODY_BYTES_MAX, RELAYED_BODY_BYTES_MAX};

on_every_server!(
    a_body_of_the_limit_is_accepted_and_a_byte_more_rejected,
    a_too_large_body_is_rejected_chunked_or_not,
    the_limit_can_be_set_by_a_flag,
    a_rewritten_body_of_the_limit_is_accepted_by_the_vendor,
    a_declared_length_over_the_limit_is_rejected_unread,
);

async fn a_body_of_the_limit_is_accepted_and_a_byte_more_rejected(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for (path, limit) in [(WHOLE_ROUTE, BODY_BYTES_MAX), (COMPLETION_ROUTES[0], RELAYED_BODY_BYTES_MAX)] {
        post(&running, path, limit).await?.json(200).with_context(|| format!("{path}: exactly the limit"))?;
        refusal(&post(&running, path, limit + 1).await?, 413).with_context(|| format!("{path}: a byte more"))?;
    }
    let sizes: Vec<usize> = vendor.calls().iter().map(|call| call.body.len()).collect();
    assert_eq!(sizes[1], RELAYED_BODY_BYTES_MAX, "all of it goes to the vendor: {sizes:?}");
    Ok(())
}

/// On the servers' own routes the body grows: the vendor also gets the model's name, for instance.
async fn a_rewritten_body_of_the_limit_is_accepted_by_the_vendor(server: &'static Server) -> anyhow::Result<()> {
    let short = Duration::from_millis(1);
    let mock = MockLlm::builder().tokens(1).ttft(short).inter_token(short).start().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for path in [STREAM_ROUTE, WHOLE_ROUTE] {
        let answer = post(&running, path, BODY_BYTES_MAX).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    Ok(())
}

async fn the_limit_can_be_set_by_a_flag(server: &'static Server) -> anyhow::Result<()> {
    const LIMIT: usize = 10_000;
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &["--max-body-bytes", "10000"]).await?;
    for path in [WHOLE_ROUTE, COMPLETION_ROUTES[0]] {
        post(&running, path, LIMIT).await?.json(200).context(path)?;
        refusal(&post(&running, path, LIMIT + 1).await?, 413).context(path)?;
    }
    Ok(())
}

async fn post(running: &Running, path: &str, bytes: usize) -> anyhow::Result<Answer> {
    let request = running.request(Method::POST, path).bearer_auth(DEMO_KEY).header("content-type", "application/json");
    Answer::to(request.body(chat_request_of(bytes))).await
}

async fn a_too_large_body_is_rejected_chunked_or_not(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let routes = [
        (STREAM_ROUTE, 2 * BODY_BYTES_MAX),
        (WHOLE_ROUTE, 2 * BODY_BYTES_MAX),
        (COMPLETION_ROUTES[0], 2 * RELAYED_BODY_BYTES_MAX),
        (COMPLETION_ROUTES[1], RELAYED_BODY_BYTES_MAX + 1),
    ];
    for (path, bytes) in routes {
        let body = chat_request_of(bytes);
        let counted = [head(path, &format!("Content-Length: {bytes}")).as_bytes(), body.as_bytes()].concat();
        refusal(&raw::exchange(running.address(), counted).await?, 413).with_context(|| format!("{path}, counted"))?;

        let mut chunked = head(path, "Transfer-Encoding: chunked").into_bytes();
        for piece in body.as_bytes().chunks(64 * 1024) {
            chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            chunked.extend_from_slice(piece);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        refusal(&raw::exchange(running.address(), chunked).await?, 413).with_context(|| format!("{path}, chunked"))?;
    }
    assert!(vendor.calls().is_empty());
    Ok(())
}

async fn a_declared_length_over_the_limit_is_rejected_unread(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    // As curl does with a large body: it waits for 100 Continue, and does not send a body that is rejected.
    let asking = head(STREAM_ROUTE, &format!("Content-Length: {}\r\nExpect: 100-continue", 2 * BODY_BYTES_MAX));
    refusal(&raw::exchange(running.address(), asking.into_bytes()).await?, 413)?;
    Ok(())
}

fn head(path: &str, length: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {DEMO_KEY}\r\n\
         Content-Type: application/json\r\n{length}\r\n\r\n"
    )
}

/// A valid request of exactly this many bytes.
fn chat_request_of(bytes: usize) -> String {
    let (before, after) = (r#"{"model":"mock-llm","messages":[{"role":"user","content":""#, r#""}]}"#);
    let filler = bytes - before.len() - after.len();
    format!("{before}{}{after}", "x".repeat(filler))
}
