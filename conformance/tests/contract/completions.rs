//! OpenAI's routes.

use std::time::Duration;

use anyhow::Context;
use conformance::answer::Answer;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, streamed, whole};
use conformance::servers::Server;
use conformance::transcript::{Completion, End};
use conformance::vendor::{Vendor, script};
use mock_llm::MockLlm;
use serde_json::{Value, json};
use wire::completion::{Completion as WholeCompletion, Model, ModelList};

on_every_server!(
    a_stream_has_openais_format,
    a_whole_answer_has_openais_format,
    streamed_and_whole_answers_have_the_same_text,
    a_stream_has_usage_only_on_request,
    max_tokens_ends_an_answer_with_length,
    a_model_is_required_and_echoed,
    awkward_text_survives,
    the_models_are_listed,
    a_model_can_be_retrieved_and_an_unknown_one_is_404,
);

const TOKENS: u32 = 6;

async fn mock() -> anyhow::Result<MockLlm> {
    let short = Duration::from_millis(1);
    Ok(MockLlm::builder().tokens(TOKENS).ttft(short).inter_token(short).start().await?)
}

pub(crate) async fn a_stream_has_openais_format(server: &'static Server) -> anyhow::Result<()> {
    let mock = mock().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for path in COMPLETION_ROUTES {
        let answer = Answer::to(running.post(path, &streamed("hi"))).await?;
        let completion = Completion::of(&answer.events()?)?;
        assert_eq!(completion.end, End::Done, "{path}");
        assert_eq!(completion.chunks[0]["choices"][0]["delta"]["role"], "assistant", "{path}: the role comes first");
        assert_eq!(completion.tokens().len(), TOKENS as usize, "{path}");
        let last = completion.chunks.last().context("no chunk")?;
        assert!(last["choices"][0]["finish_reason"].is_string(), "{path}: the reason comes last: {last}");
        assert_eq!(completion.finish_reasons().len(), 1, "{path}");
    }
    Ok(())
}

pub(crate) async fn a_whole_answer_has_openais_format(server: &'static Server) -> anyhow::Result<()> {
    let mock = mock().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for path in COMPLETION_ROUTES {
        for body in [whole("hi"), { json_with(whole("hi"), "stream", json!(false)) }] {
            let body = Answer::to(running.post(path, &body)).await?.json(200)?;
            let completion: WholeCompletion = serde_json::from_value(body).context(path)?;
            assert_eq!(completion.object, "chat.completion", "{path}");
            assert_eq!((completion.choices.len(), &*completion.choices[0].message.role), (1, "assistant"), "{path}");
            assert!(["stop", "length"].contains(&&*completion.choices[0].finish_reason), "{path}");
            let usage = completion.usage;
            assert_eq!(usage.completion_tokens, u64::from(TOKENS), "{path}");
            assert!(usage.prompt_tokens > 0, "{path}");
            assert_eq!(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens, "{path}");
        }
    }
    Ok(())
}

async fn streamed_and_whole_answers_have_the_same_text(server: &'static Server) -> anyhow::Result<()> {
    let mock = mock().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for path in COMPLETION_ROUTES {
        let stream = Completion::of(&Answer::to(running.post(path, &streamed("hi"))).await?.events()?)?;
        let answer = Answer::to(running.post(path, &whole("hi"))).await?.json(200)?;
        assert_eq!(answer["choices"][0]["message"]["content"], stream.text(), "{path}");
    }
    Ok(())
}

async fn a_stream_has_usage_only_on_request(server: &'static Server) -> anyhow::Result<()> {
    let mock = mock().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for path in COMPLETION_ROUTES {
        let without = Completion::of(&Answer::to(running.post(path, &streamed("hi"))).await?.events()?)?;
        assert!(without.chunks.iter().all(|chunk| chunk["usage"].is_null()), "{path}: nobody asked");
        for (asked, expected) in [(false, false), (true, true)] {
            let body = json_with(streamed("hi"), "stream_options", json!({ "include_usage": asked }));
            let completion = Completion::of(&Answer::to(running.post(path, &body)).await?.events()?)?;
            let last = completion.chunks.last().context("no chunk")?;
            assert_eq!(last["usage"].is_object(), expected, "{path}, include_usage {asked}: {last}");
            if expected {
                assert_eq!(last["choices"], json!([]), "{path}: the chunk of the usage has no choice");
                assert_eq!(last["usage"]["completion_tokens"], TOKENS, "{path}");
            }
        }
    }
    Ok(())
}

async fn max_tokens_ends_an_answer_with_length(server: &'static Server) -> anyhow::Result<()> {
    let mock = mock().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for path in COMPLETION_ROUTES {
        let body = json_with(streamed("hi"), "max_tokens", json!(2));
        let stream = Completion::of(&Answer::to(running.post(path, &body)).await?.events()?)?;
        assert_eq!((stream.tokens().len(), stream.finish_reasons()), (2, vec!["length"]), "{path}");
        let body = json_with(whole("hi"), "max_tokens", json!(2));
        let answer = Answer::to(running.post(path, &body)).await?.json(200)?;
        assert_eq!(answer["choices"][0]["finish_reason"], "length", "{path}");
        assert_eq!(answer["usage"]["completion_tokens"], 2, "{path}");
    }
    Ok(())
}

async fn a_model_is_required_and_echoed(server: &'static Server) -> anyhow::Result<()> {
    let mock = mock().await?;
    let running = server.start(&mock.url(), &[]).await?;
    for path in COMPLETION_ROUTES {
        let answer = Answer::to(running.post(path, &whole("hi"))).await?.json(200)?;
        assert_eq!(answer["model"], "mock-llm", "{path}");
        let mut nameless = whole("hi");
        nameless.as_object_mut().context("an object")?.remove("model");
        let answer = Answer::to(running.post(path, &nameless)).await?;
        let error = conformance::error_shape::refusal(&answer, 400)?;
        assert_eq!(error.param.as_deref(), Some("model"), "{path}");
    }
    Ok(())
}

async fn awkward_text_survives(server: &'static Server) -> anyhow::Result<()> {
    const TEXT: [&str; 5] = ["a\n\n", "\"b\"\\", "é🦀", "\r\n", "data: [DONE]"];
    let vendor =
        Vendor::by_prompt([("stream", script::stream(&TEXT)), ("whole", script::completion(&TEXT.concat()))]).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for path in COMPLETION_ROUTES {
        let stream = Completion::of(&Answer::to(running.post(path, &streamed("stream"))).await?.events()?)?;
        assert_eq!((stream.tokens(), stream.end), (TEXT.map(str::to_owned).to_vec(), End::Done), "{path}");
        let answer = Answer::to(running.post(path, &whole("whole"))).await?.json(200)?;
        assert_eq!(answer["choices"][0]["message"]["content"], TEXT.concat(), "{path}");
    }
    Ok(())
}

pub(crate) async fn the_models_are_listed(server: &'static Server) -> anyhow::Result<()> {
    let mock = mock().await?;
    let running = server.start(&mock.url(), &[]).await?;
    let request = running.get("/v1/models").bearer_auth(conformance::running::DEMO_KEY);
    let list: ModelList = serde_json::from_value(Answer::to(request).await?.json(200)?)?;
    assert_eq!(list.object, "list");
    assert!(list.data.iter().any(|model| model.id == "mock-llm" && model.object == "model"), "{list:?}");
    // A listed model can be used.
    for model in list.data {
        let body = json_with(whole("hi"), "model", json!(model.id));
        Answer::to(running.post(COMPLETION_ROUTES[0], &body)).await?.json(200)?;
    }
    Ok(())
}

/// The request of `client.models.retrieve("m")`.
async fn a_model_can_be_retrieved_and_an_unknown_one_is_404(server: &'static Server) -> anyhow::Result<()> {
    let short = Duration::from_millis(1);
    let mock = MockLlm::builder().only_models(["m", "openai/gpt-4"]).ttft(short).inter_token(short).start().await?;
    let running = server.start(&mock.url(), &[]).await?;
    let get = |name: &str| running.get(&format!("/v1/models/{name}")).bearer_auth(conformance::running::DEMO_KEY);
    for (name, id) in [("m", "m"), ("openai/gpt-4", "openai/gpt-4"), ("openai%2Fgpt-4", "openai/gpt-4")] {
        let model: Model = serde_json::from_value(Answer::to(get(name)).await?.json(200)?).context(name)?;
        assert_eq!((&*model.id, &*model.object), (id, "model"), "{name}");
    }
    for name in ["nope", "m/", "..%2f..%2fdebug"] {
        let error = conformance::error_shape::refusal(&Answer::to(get(name)).await?, 404).context(name)?;
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some("model_not_found"), Some("model")), "{name}");
    }
    let keyless = Answer::to(running.get("/v1/models/m")).await?;
    assert_eq!(keyless.status, 401);
    Ok(())
}

fn json_with(mut body: Value, member: &str, value: Value) -> Value {
    body[member] = value;
    body
}
