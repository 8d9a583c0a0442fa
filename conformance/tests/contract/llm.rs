//! `POST /llm`.

use std::time::Duration;

use conformance::answer::Answer;
use conformance::listed;
use conformance::on_every_server;
use conformance::running::{SUMMARY_ROUTE, WHOLE_ROUTE, whole};
use conformance::servers::{self, Server};
use conformance::vendor::{Vendor, script};
use mock_llm::MockLlm;
use serde_json::{Value, json};
use wire::REQUEST_ID_HEADER;

on_every_server!(
    messages_get_the_answer_of_one_whole_call,
    a_prompt_is_sent_as_one_user_message,
    max_tokens_reaches_the_vendor,
    a_summary_is_the_answer_of_a_second_call
);

const TEXT: &str = "a whole\nanswer with \"quotes\" and 🦀";

async fn messages_get_the_answer_of_one_whole_call(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion(TEXT)).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let body = Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?.json(200)?;
    assert!(body.is_object() && holds(&body, TEXT), "the text is not in it: {body}");
    assert_eq!(vendor.calls().len(), 1, "one call");
    assert!(!vendor.calls()[0].asked.stream, "a whole one");
    Ok(())
}

async fn a_prompt_is_sent_as_one_user_message(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion(TEXT)).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let body = Answer::to(running.post(WHOLE_ROUTE, &json!({ "prompt": "what is é?" }))).await?.json(200)?;
    assert!(holds(&body, TEXT), "the text is not in it: {body}");
    let asked = &vendor.calls()[0].asked.messages;
    assert_eq!(asked.len(), 1);
    assert_eq!((&*asked[0].role, &asked[0].content), ("user", &json!("what is é?")));
    Ok(())
}

async fn max_tokens_reaches_the_vendor(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion(TEXT)).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    Answer::to(running.post(WHOLE_ROUTE, &json!({ "prompt": "hi", "max_tokens": 7 }))).await?.json(200)?;
    assert_eq!(vendor.calls()[0].asked.max_tokens, Some(json!(7)));
    Ok(())
}

pub(crate) async fn a_summary_is_the_answer_of_a_second_call(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion(TEXT)).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let asked = running.post(SUMMARY_ROUTE, &whole("hi")).header(REQUEST_ID_HEADER, "two-calls");
    let body = Answer::to(asked).await?.json(200)?;
    assert!(holds(&body, TEXT), "the text is not in it: {body}");
    let calls = vendor.calls();
    assert_eq!(calls.len(), 2, "one for the answer, one for its summary");
    assert_eq!(calls[0].asked.messages[0].content, "hi");
    let prompt = calls[1].asked.messages[0].content.as_str().unwrap_or_default();
    assert!(prompt.ends_with(TEXT), "the second call is about the first one's answer: {prompt}");
    for call in &calls {
        assert_eq!((call.asked.model.as_deref(), call.asked.stream), (Some("mock-llm"), false));
        assert_eq!(call.header(REQUEST_ID_HEADER), Some("two-calls"), "both can be followed through the vendor's log");
    }
    let empty = Answer::to(running.post(SUMMARY_ROUTE, &json!({}))).await?.json(400)?;
    assert_eq!(empty["error"]["param"], "messages");
    Ok(())
}

/// It is one API: a client written for one server can read the responses of the others.
#[tokio::test]
async fn all_servers_respond_in_the_same_format() -> anyhow::Result<()> {
    let short = Duration::from_millis(1);
    let mock = MockLlm::builder().tokens(3).ttft(short).inter_token(short).start().await?;
    let mut shapes = Vec::new();
    for server in listed::all()?.filter(|server| server.name != servers::BLOCKING_CLIENT.name) {
        let running = server.start(&mock.url(), &[]).await?;
        let body = Answer::to(running.post(WHOLE_ROUTE, &whole("hi"))).await?.json(200)?;
        shapes.push((server.name, members(&body)));
    }
    let first = &shapes[0].1;
    assert!(shapes.iter().all(|(_, shape)| shape == first), "{shapes:#?}");
    Ok(())
}

fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string == text,
        Value::Array(list) => list.iter().any(|value| holds(value, text)),
        Value::Object(members) => members.values().any(|value| holds(value, text)),
        _ => false,
    }
}

fn members(body: &Value) -> Vec<String> {
    body.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}
