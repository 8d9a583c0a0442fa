//! `POST /chat/stream` with a healthy vendor.

use std::time::Duration;

use anyhow::Context;
use conformance::answer::Answer;
use conformance::event_stream::EventStream;
use conformance::on_every_server;
use conformance::raw;
use conformance::running::{STREAM_ROUTE, streamed};
use conformance::servers::Server;
use conformance::transcript::{Chat, End};
use conformance::vendor::{Asked, Step, Vendor, script};
use mock_llm::MockLlm;
use serde_json::json;

on_every_server!(
    every_token_is_one_event_and_done_is_last,
    text_survives_any_split_of_the_vendors_stream,
    the_text_is_the_vendors,
    a_long_answer_is_complete,
    streams_at_the_same_time_do_not_mix,
    an_answer_without_tokens_is_complete,
    max_tokens_is_honoured,
    the_vendor_gets_the_clients_request,
    nothing_is_sent_before_the_first_token,
    a_token_is_sent_before_the_next_one_arrives,
    mock_headers_are_passed_on_only_when_allowed,
);

/// Text that breaks a server that writes it unescaped into `data:`.
const AWKWARD: [&str; 12] =
    ["Hello", "\n", "\n\n", " \"quoted\"", "\\", "data: x", "é", "🦀", "\r\n", "\u{2028}", " ", "{\"content\":\"x\"}"];

pub(crate) async fn every_token_is_one_event_and_done_is_last(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&AWKWARD)).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(Chat::of(&answer.events()?)?, Chat { tokens: AWKWARD.map(str::to_owned).to_vec(), end: End::Done });
    Ok(())
}

async fn text_survives_any_split_of_the_vendors_stream(server: &'static Server) -> anyhow::Result<()> {
    for size in [1, 7] {
        let vendor = Vendor::playing(script::stream_in_pieces(&AWKWARD, size)).await?;
        let running = server.start(&vendor.url(), &[]).await?;
        let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
        let chat = Chat::of(&answer.events()?)?;
        assert_eq!(chat, Chat { tokens: AWKWARD.map(str::to_owned).to_vec(), end: End::Done }, "{size} bytes a piece");
    }
    Ok(())
}

async fn the_text_is_the_vendors(server: &'static Server) -> anyhow::Result<()> {
    const TOKENS: usize = 40;
    let mock = quick_mock(TOKENS).await?;
    let running = server.start(&mock.url(), &[]).await?;
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    let chat = Chat::of(&answer.events()?)?;
    assert_eq!((chat.tokens.len(), &chat.end), (TOKENS, &End::Done));
    // The vendor answers everyone alike: call it directly, for a whole answer.
    let direct = Answer::to(direct_call(&mock.url()).await?).await?.json(200)?;
    assert_eq!(chat.tokens.concat(), direct["choices"][0]["message"]["content"].as_str().context("no content")?);
    Ok(())
}

async fn a_long_answer_is_complete(server: &'static Server) -> anyhow::Result<()> {
    const TOKENS: u32 = 5000;
    let mock = MockLlm::builder().tokens(TOKENS).ttft(Duration::ZERO).inter_token(Duration::ZERO).start().await?;
    let running = server.start(&mock.url(), &[]).await?;
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    let chat = Chat::of(&answer.events()?)?;
    assert_eq!((chat.tokens.len(), chat.end), (TOKENS as usize, End::Done));
    Ok(())
}

async fn streams_at_the_same_time_do_not_mix(server: &'static Server) -> anyhow::Result<()> {
    const PROMPTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let paced = |prompt| {
        let mut steps = vec![script::head()];
        steps.extend(
            [1, 2, 3].into_iter().flat_map(|_| [script::token(prompt), Step::Pause(Duration::from_millis(10))]),
        );
        steps.extend([script::done(), script::last_chunk()]);
        (prompt, steps)
    };
    let vendor = Vendor::by_prompt(PROMPTS.map(paced)).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let streams =
        PROMPTS.map(|prompt| (prompt, tokio::spawn(Answer::to(running.post(STREAM_ROUTE, &streamed(prompt))))));
    for (prompt, stream) in streams {
        let chat = Chat::of(&stream.await??.events()?)?;
        assert_eq!(chat, Chat { tokens: vec![prompt.to_owned(); 3], end: End::Done });
    }
    Ok(())
}

async fn an_answer_without_tokens_is_complete(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&[])).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    assert_eq!(Chat::of(&answer.events()?)?, Chat { tokens: vec![], end: End::Done });
    Ok(())
}

async fn max_tokens_is_honoured(server: &'static Server) -> anyhow::Result<()> {
    let mock = quick_mock(50).await?;
    let running = server.start(&mock.url(), &[]).await?;
    for (field, tokens) in [("max_tokens", 3), ("max_completion_tokens", 4), ("max_tokens", 1)] {
        let mut body = streamed("hi");
        body[field] = json!(tokens);
        let answer = Answer::to(running.post(STREAM_ROUTE, &body)).await?;
        let chat = Chat::of(&answer.events()?)?;
        assert_eq!((chat.tokens.len(), chat.end), (tokens, End::Done), "{field} {tokens}");
    }
    Ok(())
}

async fn the_vendor_gets_the_clients_request(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let body = json!({
        "messages": [{ "role": "system", "content": "be brief" }, { "role": "user", "content": "hi\n\"é\"" }],
        "model": "some-model", "max_tokens": 9, "temperature": 0.5, "no_such_field": {},
    });
    Answer::to(running.post(STREAM_ROUTE, &body)).await?.events()?;
    let calls = vendor.calls();
    assert_eq!(calls.len(), 1);
    assert!(calls[0].head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", calls[0].head);
    assert_eq!(calls[0].header("content-type"), Some("application/json"));
    let sent: Asked = serde_json::from_value(body)?;
    assert_eq!(calls[0].asked, Asked { stream: true, ..sent });
    Ok(())
}

pub(crate) async fn nothing_is_sent_before_the_first_token(server: &'static Server) -> anyhow::Result<()> {
    // The vendor's schedule is the clock: no byte of a response before its first token is due. A head sent at
    // once would arrive in a hundredth of this.
    const TTFT: Duration = Duration::from_millis(400);
    let mock = MockLlm::builder().tokens(3).ttft(TTFT).inter_token(Duration::from_millis(1)).start().await?;
    let running = server.start(&mock.url(), &[]).await?;
    let body = streamed("hi").to_string();
    let length = body.len();
    for path in [STREAM_ROUTE, "/v1/chat/completions"] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer demo-key\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let first_byte = raw::time_to_first_byte(running.address(), request.as_bytes()).await?;
        assert!(first_byte >= TTFT, "{path}: a byte after {first_byte:?}, the first token is due after {TTFT:?}");
    }
    Ok(())
}

async fn a_token_is_sent_before_the_next_one_arrives(server: &'static Server) -> anyhow::Result<()> {
    // The second token never arrives: the first must not wait for it.
    let vendor = Vendor::playing(vec![script::head(), script::role(), script::token("a"), Step::Stall]).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let mut stream = EventStream::open(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
    let event = stream.next().await?.context("no event")?;
    assert_eq!(event.data, r#"{"content":"a"}"#);
    Ok(())
}

async fn mock_headers_are_passed_on_only_when_allowed(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    for (flags, expected) in [(&[][..], None), (&["--allow-mock-headers"][..], Some("7"))] {
        let running = server.start(&vendor.url(), flags).await?;
        Answer::to(running.post(STREAM_ROUTE, &streamed("hi")).header("X-Mock-Tokens", "7")).await?.events()?;
        let call = vendor.calls().pop().context("the vendor was not called")?;
        assert_eq!(call.header("x-mock-tokens"), expected, "flags: {flags:?}");
    }
    Ok(())
}

async fn quick_mock(tokens: usize) -> anyhow::Result<MockLlm> {
    let short = Duration::from_millis(1);
    Ok(MockLlm::builder().tokens(u32::try_from(tokens)?).ttft(short).inter_token(short).start().await?)
}

async fn direct_call(vendor: &str) -> anyhow::Result<reqwest::RequestBuilder> {
    let client = gateway::http_client().build()?;
    Ok(client.post(format!("{vendor}/v1/chat/completions")).json(&conformance::running::whole("hi")))
}
