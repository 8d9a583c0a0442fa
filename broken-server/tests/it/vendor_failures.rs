//! Vendors that fail.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Response;
use serde_json::Value;

use crate::support::{CALL_STYLES, ScriptedVendor, TestServer, unreachable_vendor, vendor};

const GAP: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_secs(3600);

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const TOKEN: &str = "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
    \"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";

fn http_chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// The error of a response with this `status`; checks that nothing internal is in it.
async fn error_of(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    assert!(response.headers().contains_key("x-request-id"));
    let text = response.text().await.unwrap();
    for internal in ["127.0.0.1", "ureq", "reqwest", "hyper", "os error"] {
        assert!(!text.contains(internal), "{text}");
    }
    serde_json::from_str::<Value>(&text).unwrap()["error"].clone()
}

#[tokio::test]
async fn a_vendor_that_fails_before_its_first_token_is_502() {
    let closes = ScriptedVendor::start("", true).await;
    let fails = ScriptedVendor::start("HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\n10.0", true).await;
    let garbles = ScriptedVendor::start("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>", true).await;
    let redirects =
        ScriptedVendor::start("HTTP/1.1 302 Go\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", true).await;
    let garbles_event = ScriptedVendor::start(&format!("{STREAM_HEAD}{}", http_chunk("data: <html>\n\n")), true).await;
    for &mistake in CALL_STYLES {
        for (vendor, stream_code, whole_code) in [
            (unreachable_vendor().await, "unreachable", "unreachable"),
            (closes.url(), "connection_broken", "connection_broken"),
            (fails.url(), "bad_status", "bad_status"),
            (redirects.url(), "bad_status", "bad_status"),
            (garbles.url(), "malformed_answer", "malformed_answer"),
            (garbles_event.url(), "malformed_answer", "connection_broken"),
        ] {
            let server = TestServer::start(mistake, &vendor, &[]);
            let client = server.client();
            for (request, code) in [(client.chat(), stream_code), (client.whole(), whole_code)] {
                let error = error_of(request.send().await.unwrap(), 502).await;
                assert_eq!((&error["type"], &error["code"]), (&"upstream_failure".into(), &code.into()), "{mistake}");
            }
        }
    }
}

#[tokio::test]
async fn a_rejection_by_the_vendor_is_passed_on() {
    let body = r#"{"error":{"message":"slow down","type":"rate_limit","code":null,"param":null}}"#;
    let head = format!("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: {}\r\n\r\n", body.len());
    let busy = ScriptedVendor::start(&format!("{head}{body}"), true).await;
    let teapot = ScriptedVendor::start("HTTP/1.1 418 Tea\r\ncontent-length: 3\r\n\r\ntea", true).await;
    for &mistake in CALL_STYLES {
        let server = TestServer::start(mistake, &busy.url(), &[]);
        let response = server.client().chat().send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(error_of(response, 429).await["message"], "slow down", "{mistake}");

        let server = TestServer::start(mistake, &teapot.url(), &[]);
        let error = error_of(server.client().whole().send().await.unwrap(), 418).await;
        assert_eq!(error["type"], "upstream_rejected", "{mistake}");
    }
}

#[tokio::test]
async fn a_stream_that_fails_ends_with_an_error_event() {
    let token = http_chunk(TOKEN);
    let dies = ScriptedVendor::start(&format!("{STREAM_HEAD}{token}"), true).await;
    let forgets_done = ScriptedVendor::start(&format!("{STREAM_HEAD}{token}0\r\n\r\n"), true).await;
    let garbles = ScriptedVendor::start(&format!("{STREAM_HEAD}{token}{}", http_chunk("data: {\n\n")), false).await;
    let reported = http_chunk("data: {\"error\":{\"message\":\"no GPU at 10.0.0.7\",\"type\":\"server_error\"}}\n\n");
    let reports = ScriptedVendor::start(&format!("{STREAM_HEAD}{token}{reported}"), false).await;
    for &mistake in CALL_STYLES {
        for (vendor, code) in [
            (&dies, "connection_broken"),
            (&forgets_done, "truncated_answer"),
            (&garbles, "malformed_answer"),
            (&reports, "reported_error"),
        ] {
            let server = TestServer::start(mistake, &vendor.url(), &[]);
            let ended = server.client().open_stream().await.finish().await;
            assert_eq!(ended.tokens(), 1, "{mistake}");
            let error = ended.error();
            assert_eq!((&error["type"], &error["code"]), (&"upstream_failure".into(), &code.into()), "{mistake}");
            assert!(!error.to_string().contains("10.0.0.7"), "{mistake}");
        }
    }
}

#[tokio::test]
async fn the_first_token_and_later_tokens_have_their_own_timeouts() {
    // reqwest's blocking client has one timeout for every read.
    let styles = CALL_STYLES.iter().filter(|mistake| **mistake != "blocking-client");
    let check = async |&mistake: &&str| {
        let silent = ScriptedVendor::start("", false).await;
        let server = TestServer::start(mistake, &silent.url(), &["--first-token-timeout", "200ms"]);
        // The control has one timeout for a whole call.
        let whole = (!mistake.starts_with("none")).then(|| server.client().whole());
        for request in [Some(server.client().chat()), whole].into_iter().flatten() {
            let error = error_of(request.send().await.unwrap(), 502).await;
            assert_eq!(error["code"], "first_token_timeout", "{mistake}");
        }

        let only_head = ScriptedVendor::start(STREAM_HEAD, false).await;
        let server = TestServer::start(mistake, &only_head.url(), &["--first-token-timeout", "200ms"]);
        let error = error_of(server.client().chat().send().await.unwrap(), 502).await;
        assert_eq!(error["code"], "first_token_timeout", "{mistake}");

        let stalls = vendor(5, GAP, NEVER).await;
        let server = TestServer::start(mistake, &stalls.url(), &["--idle-timeout", "200ms"]);
        let ended = server.client().open_stream().await.finish().await;
        assert_eq!((ended.tokens(), &ended.error()["code"]), (1, &"idle_timeout".into()), "{mistake}");
    };
    join_all(styles.map(check)).await;
}

#[tokio::test]
async fn a_stream_longer_than_every_timeout_is_complete() {
    // The first token takes three times the idle timeout, the whole stream six times.
    let mock = vendor(31, 30 * GAP, GAP).await;
    let check = async |&mistake: &&str| {
        let server = TestServer::start(mistake, &mock.url(), &["--idle-timeout", "200ms"]);
        let ended = server.client().open_stream().await.finish().await;
        assert!(ended.is_complete(), "{mistake}: {ended:?}");
        assert_eq!(ended.tokens(), 31);
    };
    join_all(CALL_STYLES.iter().map(check)).await;
}

/// They call the vendor once for each request.
#[tokio::test]
async fn a_mistake_without_limits_makes_one_attempt() {
    let nobody = unreachable_vendor().await;
    for mistake in ["pool-exhaustion", "pool-per-chunk", "rollout", "coordinated-omission", "orphaned-streams"] {
        let server = TestServer::start(mistake, &nobody, &[]);
        let client = server.client();
        assert_eq!(client.chat().send().await.unwrap().status(), 502, "{mistake}");
        assert_eq!(client.outcomes("upstream_failure").await, 1.0, "{mistake}");
        for untouched in ["llm_retries_total", "llm_semaphore_wait_seconds_count", "llm_queue_length"] {
            assert_eq!(client.metric(untouched).await, 0.0, "{mistake}: {untouched}");
        }
    }
}
