//! Answers of an idle server that no diagnosis can begin with: each is named, with what to do.

use std::time::{Duration, Instant};

use loadgen::result::{Confidence, DiagnosisKind};

use super::{CHECK, GOOD, checks, command, diagnosed, options, sends};
use crate::scripted::{EVENTS, FAILING, HANGS, NOT_FOUND, OK, Script, serve};

const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const NOT_ALLOWED: &str =
    "HTTP/1.1 405 Method Not Allowed\r\nallow: GET\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const UNPROCESSABLE: &str = "HTTP/1.1 422 Unprocessable\r\ncontent-type: application/json\r\ncontent-length: 27\r\nconnection: close\r\n\r\n{\"missing\":\"field messages\"}";
const LIMITED: &str =
    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const UNAVAILABLE: &str = "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const MOVED: &str =
    "HTTP/1.1 308 Permanent Redirect\r\nlocation: /chat/stream/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const FOUND: &str = "HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 33\r\nconnection: close\r\n\r\n<!DOCTYPE html>\n<title>App</title>";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const BREAKS_OFF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\npart";
const NO_HTTP: &str = "SSH-2.0-OpenSSH_9.6\r\n";
const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\nconnection: close\r\n\r\n{\"answer\":\"hi\"}";

const SHORT: Script = |mut request| Box::pin(async move { _ = request.tokens(5, Duration::from_millis(10)).await });
const NEVER_A_CHUNK: Script = |mut request| {
    Box::pin(async move {
        request.send(EVENTS).await;
        request.hang().await;
    })
};
const CHECK_STREAMS: Script = |mut request| {
    Box::pin(async move {
        let streams = request.path == "/health";
        if streams {
            request.tokens(1_000, Duration::from_millis(10)).await;
        } else {
            request.send(NOT_FOUND).await;
        }
    })
};
const SLOW_CHECK: Script = |mut request| {
    Box::pin(async move {
        if request.path == "/health" {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        request.send(OK).await;
    })
};
const SLOW_UNKNOWN_PATH: Script = |mut request| {
    Box::pin(async move {
        if request.path != "/health" {
            request.hang().await;
        }
        request.send(OK).await;
    })
};

/// Each server, the exit code, and what is said.
async fn expect(cases: &[(Script, Script, i32, &str)]) {
    let runs = cases.iter().map(|(stream, check, code, named)| async move {
        let (server, seen) = serve(*stream, *check).await;
        let url = format!("http://{server}");
        let (ended, said) = command(&["--url", &url, "--budget", "10s"]).await;
        assert_eq!(ended, *code, "{named}: {said}");
        assert!(said.contains(named), "{named}: {said}");
        let asked = seen.streams.load(std::sync::atomic::Ordering::Relaxed);
        assert!(asked <= 1, "{named}: it is known after one request, and there were {asked}");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_stream_is_named_with_what_to_do() {
    expect(&[
        (sends!(NOT_FOUND), CHECK, 2, "POST /chat/stream answered 404 (text/plain: no such page)"),
        (sends!(NOT_FOUND), CHECK, 2, "name the one that streams with --stream-path"),
        (sends!(UNAUTHORIZED), CHECK, 2, "answered 401, without any load: give a key with --api-key or --header"),
        (sends!(NOT_ALLOWED), CHECK, 2, "give another --method; it allows GET"),
        (sends!(UNPROCESSABLE), CHECK, 2, "field messages"),
        (sends!(LIMITED), CHECK, 3, "Retry-After: 7"),
        (sends!(FAILING), CHECK, 3, "answered 500 (sorry), without any load"),
        (sends!(MOVED), CHECK, 2, "308, a redirect to /chat/stream/"),
        (sends!(PAGE), CHECK, 2, "that is a page, not a stream"),
        (sends!(EMPTY), CHECK, 2, "204 without a body"),
        (sends!(EVENTS), CHECK, 2, "200 without a body"),
        (sends!(NO_HTTP), CHECK, 3, "is it https?"),
        (sends!(""), CHECK, 3, "POST /chat/stream, without any load: no answer"),
        (SHORT, CHECK, 2, "a stream that is over after"),
        (HANGS, CHECK, 3, "POST /chat/stream has no answer within 3 s"),
        (NEVER_A_CHUNK, CHECK, 3, "POST /chat/stream has no answer within 3 s"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_no_cheap_check_is_named_with_the_flag() {
    expect(&[
        (GOOD, checks!(NOT_FOUND), 2, "GET /health answered 404 (text/plain: no such page), without any load"),
        (GOOD, checks!(UNAUTHORIZED), 2, "give a key with --api-key or --header, or name a check that needs none"),
        (GOOD, checks!(FOUND), 2, "302, a redirect to /login"),
        (GOOD, checks!(UNAVAILABLE), 3, "GET /health answered 503, without any load"),
        (GOOD, checks!(NO_HTTP), 3, "is it https?"),
        (GOOD, CHECK_STREAMS, 2, "a body that does not end within"),
        (GOOD, sends!(BREAKS_OFF), 2, "GET /health answered 200 with a body that breaks off"),
        (GOOD, SLOW_CHECK, 2, "a cheap check takes less than 400ms"),
        (GOOD, HANGS, 3, "GET /health has no answer within"),
        (GOOD, SLOW_UNKNOWN_PATH, 3, "GET /loadgen-diagnose-no-such-path has no answer within"),
    ])
    .await;
}

/// Answers what has this tenant and, where it is a check, this key.
const NEEDS_KEY: Script = |mut request| {
    Box::pin(async move {
        let has = |header: &str| request.text.contains(header);
        let answer = match (has("x-tenant: a\r\n"), has("authorization: Bearer k\r\n")) {
            (false, _) => NOT_FOUND,
            (true, false) => UNAUTHORIZED,
            (true, true) => OK,
        };
        request.send(answer).await;
    })
};
/// Counts requests with a key to the limit of that key.
const LIMITS_KEYS: Script = |mut request| {
    Box::pin(async move {
        let answer = if request.text.contains("authorization:") { LIMITED } else { OK };
        request.send(answer).await;
    })
};

#[tokio::test(flavor = "multi_thread")]
async fn checks_have_the_headers_and_the_key_only_where_they_need_it() {
    for check in [NEEDS_KEY, LIMITS_KEYS] {
        let (server, _) = serve(sends!(JSON), check).await;
        let mut asked = options(server);
        asked.headers = vec![("X-Tenant".to_owned(), "a".to_owned())];
        asked.api_key = Some("k".to_owned());
        let found = diagnosed(&asked, |_| panic!("there is nothing to hold")).await;
        assert_eq!(found.unwrap().kind, DiagnosisKind::NotStreaming);
    }
}

/// Takes ten checks from a client, and no more.
const LIMITS_CHECKS: Script = |mut request| {
    Box::pin(async move {
        let many = request.seen.checks.load(std::sync::atomic::Ordering::Relaxed) > 10;
        let answer = if request.path == "/health" { OK } else { NOT_FOUND };
        request.send(if many { LIMITED } else { answer }).await;
    })
};

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_requests_that_the_probes_meet_is_named() {
    expect(&[(GOOD, LIMITS_CHECKS, 3, "429 to some of the probes")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_there_at_once_is_said_to_be_that_and_no_more() {
    let (server, _) = serve(sends!(JSON), CHECK).await;
    let began = Instant::now();
    let found = diagnosed(&options(server), |_| panic!("there is nothing to hold")).await.unwrap();
    assert_eq!((found.kind, found.form, found.confidence), (DiagnosisKind::NotStreaming, None, Confidence::Medium));
    assert!(found.evidence[0].contains("the whole answer, application/json, was there after"), "{:?}", found.evidence);
    assert!(began.elapsed() < Duration::from_secs(6), "it waits for nothing");
}
