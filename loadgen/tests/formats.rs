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
use loadgen::traffic::{Client, Exchange, Request, StreamFormat};
use scripted::{CHECK_OK, EVENTS, Script, serve};
use tokio::time::sleep;

/// What one client saw of a server that streams as `script` does.
async fn seen_by(client: Client, script: Script) -> StreamStats {
    let (addr, _) = serve(script, CHECK_OK).await;
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

/// Sends this body with this media type, one event or line at a time.
macro_rules! streams {
    ($media_type:literal, $body:expr) => {
        |mut request| {
            Box::pin(async move {
                let head = concat!("HTTP/1.1 200 OK\r\ncontent-type: ", $media_type, "\r\nconnection: close\r\n\r\n");
                request.send(head).await;
                for part in $body.split_inclusive('|') {
                    request.send(part.trim_end_matches('|')).await;
                    sleep(Duration::from_millis(30)).await;
                }
            })
        }
    };
}

const ANTHROPIC: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n|\
    event: ping\ndata: {\"type\":\"ping\"}\n\n|\
    event: content_block_delta\ndata: {\"delta\":{\"text\":\"a\"}}\n\n|\
    event: content_block_delta\ndata: {\"delta\":{\"text\":\"b\"}}\n\n|\
    event: message_delta\ndata: {\"usage\":{\"output_tokens\":2}}\n\n|\
    event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
const RESPONSES: &str = "event: response.created\ndata: {}\n\n|\
    event: response.output_text.delta\ndata: {\"delta\":\"a\"}\n\n|\
    event: response.completed\ndata: {\"response\":{\"usage\":{}}}\n\n";
const OLLAMA: &str = "{\"message\":{\"content\":\"a\"},\"done\":false}\n|{\"message\":{\"content\":\"b\"},\"done\":false}\n|\
    {\"done\":true}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_format_is_recognised_or_named() {
    let auto = StreamFormat::Auto;
    let cases: [(StreamFormat, Script, &str, (u64, u64)); 12] = [
        (auto, streams!("text/event-stream", ANTHROPIC), "anthropic", (1, 2)),
        (auto, streams!("text/event-stream", RESPONSES), "responses", (1, 1)),
        (auto, streams!("application/x-ndjson", OLLAMA), "jsonl", (1, 2)),
        (auto, streams!("application/x-ndjson", "{\"text\":1}\n|{\"text\":2}"), "jsonl", (1, 2)),
        // The end that is usual for the format is missing.
        (auto, streams!("application/x-ndjson", "{\"done\":false}\n"), "jsonl", (0, 1)),
        (auto, streams!("text/event-stream", "event: content_block_delta\ndata: {}\n\n"), "anthropic", (0, 1)),
        // Named: whatever the media type, and nothing else counts.
        (StreamFormat::Sse, streams!("text/plain", "data: {\"choices\":[]}\n\n|data: b\n\n"), "sse", (1, 2)),
        (StreamFormat::OpenAi, streams!("text/event-stream", "data: {\"ping\":1}\n\n"), "", (0, 0)),
        (StreamFormat::Chat, streams!("text/plain", "data: {\"content\":\"a\"}\n\n"), "chat", (0, 1)),
        (
            StreamFormat::Chat,
            streams!("text/plain", "data: {\"id\":1,\"content\":\"a\"}\n\n|data: [DONE]\n\n"),
            "chat",
            (1, 1),
        ),
        (StreamFormat::Text, streams!("text/plain", "one |two |three"), "text", (1, 3)),
        (StreamFormat::Jsonl, streams!("text/plain", "<html>\n"), "", (0, 0)),
    ];
    let runs = cases.map(|(format, script, name, expected)| async move {
        let stats = seen_by(Client { format, ..Client::default() }, script).await;
        assert_eq!((stats.completed, stats.chunks), expected, "{format:?}, {name}: {stats:?}");
        let names: Vec<_> = stats.formats.keys().map(String::as_str).collect();
        assert_eq!(names, if name.is_empty() { vec![] } else { vec![name] }, "{format:?}: {stats:?}");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_a_line_is_an_error() {
    let stats = seen_by(
        Client::default(),
        streams!("application/x-ndjson", "{\"text\":1}\n|{\"error\":{\"type\":\"overloaded\"}}\n"),
    )
    .await;
    assert_eq!(
        (stats.failures.get("error event"), stats.errors_by_type.get("overloaded")),
        (Some(&1), Some(&1)),
        "{stats:?}"
    );
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
