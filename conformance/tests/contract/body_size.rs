use anyhow::Context;
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_every_server;
use conformance::raw;
use conformance::running::{COMPLETION_ROUTES, DEMO_KEY, STREAM_ROUTE, WHOLE_ROUTE};
use conformance::servers::Server;
use conformance::vendor::{Vendor, script};
use reqwest::Method;
use wire::BODY_BYTES_MAX;

on_every_server!(
    a_body_of_the_limit_is_taken_and_one_byte_more_is_not,
    two_mebibytes_are_refused_however_they_come,
    a_refusal_comes_before_the_body_when_its_length_is_told,
);

const TWO_MIB: usize = 2 * 1024 * 1024;

async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let post = |bytes: usize| {
        let request = running.request(Method::POST, WHOLE_ROUTE).header("content-type", "application/json");
        Answer::to(request.body(chat_request_of(bytes)))
    };
    post(BODY_BYTES_MAX).await?.json(200).context("exactly 1 MiB")?;
    refusal(&post(BODY_BYTES_MAX + 1).await?, 413).context("a byte more")?;
    Ok(())
}

async fn two_mebibytes_are_refused_however_they_come(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let body = chat_request_of(TWO_MIB);
    for path in [STREAM_ROUTE, WHOLE_ROUTE, COMPLETION_ROUTES[0], COMPLETION_ROUTES[1]] {
        let counted = [head(path, &format!("Content-Length: {TWO_MIB}")).as_bytes(), body.as_bytes()].concat();
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

async fn a_refusal_comes_before_the_body_when_its_length_is_told(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    // What curl does with a large body: it asks first, and does not send what is refused.
    let asking = head(STREAM_ROUTE, &format!("Content-Length: {TWO_MIB}\r\nExpect: 100-continue"));
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
