//! The vendor as a library, spoken to over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
use std::time::Duration;

use mock_llm::{MockLlm, MockLlmBuilder, text};
use wire::sse::{Decoder, EVENT_BYTES_MAX};
use wire::stream::VendorEvent;

fn quick() -> MockLlmBuilder {
    MockLlm::builder().tokens(20).ttft(Duration::from_millis(5)).inter_token(Duration::from_millis(2))
}

fn post(mock: &MockLlm, body: &str) -> reqwest::RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/chat/completions", mock.url());
    client.post(url).header("content-type", "application/json").body(body.to_owned())
}

const STREAMED: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}"#;
const WHOLE: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

#[tokio::test]
async fn a_stream_and_a_whole_answer_say_the_same() {
    let mock = quick().seed(3).start().await.unwrap();
    let streamed = post(&mock, STREAMED).send().await.unwrap().bytes().await.unwrap();
    let mut events = Vec::new();
    Decoder::new(EVENT_BYTES_MAX).decode(&streamed, &mut events).unwrap();
    let events: Vec<VendorEvent> = events.iter().map(|event| VendorEvent::read(event).unwrap()).collect();
    assert_eq!(events.len(), 1 + 20 + 3, "role, tokens, reason, usage, done");
    let text: String = events
        .iter()
        .filter_map(|event| match event {
            VendorEvent::Chunk { text, .. } => text.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(text, text::answer(3, 20));
    assert_eq!(events.last(), Some(&VendorEvent::Done));

    let whole: serde_json::Value =
        serde_json::from_slice(&post(&mock, WHOLE).send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"], text);
    assert_eq!(whole["usage"]["completion_tokens"], 20);

    let ledger = mock.ledger();
    assert_eq!((ledger.started, ledger.completed, ledger.active, ledger.tokens_sent), (2, 2, 0, 40));
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_generation_also_before_the_first_token() {
    for (ttft, body) in [(Duration::ZERO, STREAMED), (Duration::from_secs(60), STREAMED), (Duration::ZERO, WHOLE)] {
        let mock = quick().ttft(ttft).inter_token(Duration::from_secs(60)).start().await.unwrap();
        let call = tokio::spawn(post(&mock, body).send());
        while mock.ledger().active == 0 {
            tokio::task::yield_now().await;
        }
        call.abort();
        drop(call.await);
        while mock.ledger().active == 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(mock.ledger().cancelled, 1);
    }
}
