//! What clients make of streams without a format, and of compressed ones.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod scripted;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use loadgen::http::Endpoint;
use loadgen::measure::StreamLog;
use loadgen::result::StreamStats;
use loadgen::traffic::{Client, Exchange, Request};
use scripted::{EVENTS, OK, Script, serve};
use tokio::time::sleep;

const UNUSED: Script = |mut request| Box::pin(async move { _ = request.send(OK).await });

/// What one client saw of a server that streams as `script` does.
async fn seen_by(client: Client, script: Script) -> StreamStats {
    let (addr, _) = serve(script, UNUSED).await;
    let log = Arc::new(StreamLog::default());
    Exchange { client, ..Exchange::new(Endpoint::at(addr), Request::chat()) }.perform(Instant::now(), &log).await;
    log.stats(Duration::from_secs(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_format_an_error_is_text_and_the_end_is_complete() {
    const RAW: Script = |mut request| {
        Box::pin(async move {
            request.send(EVENTS).await;
            request.send("data: one\n\ndata: {\"error\":{\"type\":\"upstream_failure\"}}\n\n").await;
        })
    };
    const NAMED: Script = |mut request| {
        Box::pin(async move {
            request.tokens(1, Duration::ZERO).await;
            request.send("event: error\ndata: {\"error\":{\"type\":\"upstream_failure\"}}\n\n").await;
        })
    };
    let naive = Client::default().takes_data_for_text().accepts_eof().keeps_text();
    let raw = seen_by(naive, RAW).await;
    assert_eq!((raw.completed, raw.chunks, raw.failed), (1, 2, 0), "{raw:?}");
    let named = seen_by(naive, NAMED).await;
    assert_eq!((named.completed, named.chunks, named.failures.get("error event")), (0, 1, Some(&1)), "{named:?}");
    let strict = seen_by(Client::default(), RAW).await;
    assert_eq!((strict.completed, strict.failed), (0, 1), "this one looks for errors in the data: {strict:?}");
}

/// Two tokens, half a second apart, compressed together. Between the two the compressor is flushed, or not.
async fn send_compressed(mut request: scripted::Request, flush: bool) {
    let (head, _) = EVENTS.rsplit_once("\r\n").unwrap();
    request.send(format!("{head}content-encoding: gzip\r\n\r\n")).await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"data: {\"content\":\"a\"}\n\n").unwrap();
    if flush {
        gzip.flush().unwrap();
    }
    request.send(std::mem::take(gzip.get_mut())).await;
    sleep(Duration::from_millis(500)).await;
    gzip.write_all(b"data: {\"content\":\"b\"}\n\ndata: [DONE]\n\n").unwrap();
    request.send(gzip.finish().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_stream_is_read_as_far_as_it_has_come() {
    let flushed = seen_by(Client::default(), |request| Box::pin(send_compressed(request, true))).await;
    let held = seen_by(Client::default(), |request| Box::pin(send_compressed(request, false))).await;
    for stats in [&flushed, &held] {
        assert_eq!((stats.completed, stats.chunks), (1, 2), "{stats:?}");
    }
    // The server's own pause is the clock.
    assert!(flushed.inter_token_ms.max >= 250.0, "{flushed:?}");
    assert!(held.time_to_first_token_ms.max >= 500.0 && held.inter_token_ms.max < 250.0, "{held:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_gzip_is_a_failure_of_its_own() {
    const NO_GZIP: Script = |mut request| {
        Box::pin(async move {
            let (head, _) = EVENTS.rsplit_once("\r\n").unwrap();
            request.send(format!("{head}content-encoding: gzip\r\n\r\ndata: plain\n\n")).await;
        })
    };
    let stats = seen_by(Client::default(), NO_GZIP).await;
    assert_eq!(stats.failures.get("not gzip"), Some(&1), "{stats:?}");
}
