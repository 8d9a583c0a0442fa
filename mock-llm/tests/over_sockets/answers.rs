//! What answers contain, and which requests are rejected.

use std::time::Duration;

use mock_llm::{MockLlm, MockLlmBuilder, text};
use serde_json::{Value, json};
use wire::completion::Usage;
use wire::stream::CompletionEvent;

use crate::client::{End, body, post, send};

fn quick() -> MockLlmBuilder {
    MockLlm::builder().tokens(20).ttft(Duration::from_millis(5)).inter_token(Duration::from_millis(2))
}

/// `body` with these fields added.
fn with(mut body: Value, fields: Value) -> Value {
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_stream_has_role_tokens_finish_reason_and_done() {
    let mock = quick().seed(3).start().await.unwrap();
    let seen = post(&mock, &[], &body(true)).await.finish().await;
    assert_eq!((seen.status, seen.header("content-type")), (Some(200), Some("text/event-stream")));
    let events: Vec<CompletionEvent> = seen.events().into_iter().map(Result::unwrap).collect();
    assert_eq!(events.len(), 1 + 20 + 2, "role, tokens, reason, done");
    assert_eq!(seen.text(), text::answer(3, 20));
    let role = std::str::from_utf8(&seen.body).unwrap().lines().next().unwrap();
    assert!(role.contains(r#""delta":{"role":"assistant","content":""}"#), "{role}");
    let CompletionEvent::Chunk(last) = &events[21] else { panic!("{:?}", events[21]) };
    assert_eq!((last.text.as_deref(), last.finish_reason.as_deref()), (None, Some("stop")));
    assert_eq!(events[22..], [CompletionEvent::Done]);
}

#[tokio::test]
async fn a_complete_answer_has_the_text_of_a_stream() {
    let mock = quick().seed(3).start().await.unwrap();
    let answer = post(&mock, &[], &body(false)).await.finish().await.json();
    assert_eq!(answer["choices"][0]["message"], json!({"role": "assistant", "content": text::answer(3, 20)}));
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("m")));
    assert_eq!(answer["usage"], json!({"prompt_tokens": 1, "completion_tokens": 20, "total_tokens": 21}));
}

#[tokio::test]
async fn usage_is_sent_in_its_own_chunk_on_request() {
    let mock = quick().start().await.unwrap();
    let asked = with(body(true), json!({"stream_options": {"include_usage": true}}));
    let seen = post(&mock, &[], &asked).await.finish().await;
    let events = seen.events();
    let [.., Ok(CompletionEvent::Chunk(counts)), Ok(CompletionEvent::Done)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((counts.text.as_deref(), counts.usage), (None, Some(Usage::new(1, 20))));
    let text = String::from_utf8(seen.body).unwrap();
    assert_eq!(text.matches("\"usage\":null").count(), 1 + 20 + 1, "in all chunks before");
}

#[tokio::test]
async fn max_tokens_shortens_an_answer_but_never_extends_it() {
    let mock = quick().start().await.unwrap();
    for (max_tokens, tokens, reason) in [
        (json!(5), 5, "length"),
        (json!(20), 20, "stop"),
        (json!(500), 20, "stop"),
        // As clients of local models send it.
        (json!(-1), 20, "stop"),
        (json!(5.0), 5, "length"),
    ] {
        let asked = with(body(false), json!({"max_tokens": max_tokens}));
        let answer = post(&mock, &[], &asked).await.finish().await.json();
        assert_eq!(answer["usage"]["completion_tokens"], tokens);
        assert_eq!(answer["choices"][0]["finish_reason"], reason);
    }
}

#[tokio::test]
async fn headers_set_length_and_delays_of_a_request() {
    let mock = MockLlm::builder().ttft(Duration::from_secs(60)).inter_token(Duration::from_secs(60));
    let mock = mock.start().await.unwrap();
    let headers = [("x-mock-tokens", "3"), ("x-mock-ttft", "1ms"), ("x-mock-inter-token", "1ms")];
    for stream in [true, false] {
        let seen = post(&mock, &headers, &body(stream)).await.finish().await;
        assert_eq!((seen.status, seen.end), (Some(200), End::Whole));
    }
    assert_eq!(mock.ledger().tokens_sent, 6);
    let seen = post(&mock, &[("x-mock-tokens", "0")], &body(true)).await.finish().await;
    assert_eq!((seen.status, &seen.json()["error"]["param"]), (Some(400), &json!("X-Mock-Tokens")));
}

#[tokio::test]
async fn invalid_requests_get_their_status_and_error_code() {
    let mock = quick().start().await.unwrap();
    let path = "/v1/chat/completions";
    let good = body(true).to_string();
    let no_model = json!({"messages": [{"role": "user", "content": "hi"}]}).to_string();
    let huge = format!("{{\"messages\": \"{}\"}}", "x".repeat(33 * 1024 * 1024));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (method, path, headers, body, status, code) in [
        ("POST", path, &[][..], "{", 400, "invalid_json"),
        ("POST", path, &[], "{}", 400, "missing_field"),
        ("POST", path, &[], &no_model, 400, "missing_field"),
        ("POST", path, &form, &good, 415, "unsupported_media_type"),
        ("POST", path, &[], &huge, 413, "body_too_large"),
        ("GET", path, &[], "", 405, "method_not_allowed"),
        ("POST", "/v1/models", &[], "", 405, "method_not_allowed"),
        ("GET", "/debug/reset", &[], "", 405, "method_not_allowed"),
        ("POST", "/v1/completions", &[], &good, 404, "unknown_route"),
        ("GET", "/v1/models/nope", &[], "", 404, "model_not_found"),
        ("GET", "/debug/nothing", &[], "", 404, "unknown_route"),
        ("GET", "/debug/stats?recent=x", &[], "", 400, "invalid_value"),
    ] {
        let seen = send(&mock, method, path, headers, body).await.finish().await;
        let code = json!(code);
        assert_eq!((seen.status, &seen.json()["error"]["code"]), (Some(status), &code), "{method} {path}");
    }
    let ledger = mock.ledger();
    assert_eq!((ledger.started, ledger.requests_by_status["400"], ledger.requests_by_status["405"]), (0, 3, 2));
}

#[tokio::test]
async fn unknown_models_get_404_only_with_strict_models() {
    let mock = quick().start().await.unwrap();
    let listed = send(&mock, "GET", "/v1/models", &[], "").await.finish().await.json();
    assert_eq!((&listed["object"], &listed["data"][0]["id"]), (&json!("list"), &json!("mock-llm")));
    assert_eq!(post(&mock, &[], &body(true)).await.finish().await.status, Some(200));

    let strict = quick().only_models(["a", "b"]).start().await.unwrap();
    let rejected = post(&strict, &[], &body(true)).await.finish().await;
    assert_eq!((rejected.status, &rejected.json()["error"]["code"]), (Some(404), &json!("model_not_found")));
    let known = with(body(true), json!({"model": "b"}));
    assert_eq!(post(&strict, &[], &known).await.finish().await.status, Some(200));
}

#[tokio::test]
async fn a_key_is_required_only_if_one_is_set() {
    let mock = quick().api_key("k").start().await.unwrap();
    for (headers, status) in [
        (&[][..], 401),
        (&[("authorization", "Bearer wrong")], 401),
        (&[("authorization", "k")], 401),
        (&[("authorization", "Bearer k")], 200),
        (&[("authorization", "bEARER  k")], 200),
    ] {
        assert_eq!(post(&mock, headers, &body(true)).await.finish().await.status, Some(status), "{headers:?}");
        assert_eq!(send(&mock, "GET", "/v1/models", headers, "").await.finish().await.status, Some(status));
    }
    assert_eq!(send(&mock, "GET", "/health", &[], "").await.finish().await.status, Some(200));
}

#[tokio::test]
async fn the_request_id_is_sent_back_or_generated() {
    let mock = quick().fault("status=500;first=1").start().await.unwrap();
    for status in [500, 200] {
        let seen = post(&mock, &[("x-request-id", "abc")], &body(true)).await.finish().await;
        assert_eq!((seen.status, seen.header("x-request-id")), (Some(status), Some("abc")));
    }
    let seen = post(&mock, &[], &body(true)).await.finish().await;
    assert!(seen.header("x-request-id").unwrap().starts_with("req_"));
}
