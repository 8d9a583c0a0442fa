//! Invalid requests: rejected with an error that names the field and leaks nothing.

use anyhow::{Context, ensure};
use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, DEMO_KEY, STREAM_ROUTE, WHOLE_ROUTE, whole};
use conformance::servers::Server;
use conformance::vendor::{Vendor, script};
use reqwest::Method;
use serde_json::{Value, json};

on_every_server!(
    an_invalid_body_is_rejected_with_the_field,
    unknown_members_are_passed_on_unchanged,
    llm_takes_a_prompt_or_messages,
    an_unknown_path_is_404,
    a_wrong_method_is_405_with_allow,
    a_wrong_content_type_is_415,
    every_spelling_of_json_is_accepted,
    long_input_is_not_echoed_in_errors,
);

const POST_ROUTES: [&str; 4] = [STREAM_ROUTE, WHOLE_ROUTE, COMPLETION_ROUTES[0], COMPLETION_ROUTES[1]];

/// Bodies that every POST route rejects with 400, and the field that the error names.
fn wrong_bodies() -> Vec<(String, Option<&'static str>)> {
    let user = json!({ "role": "user", "content": "hi" });
    let with = |member: &str, value: Value| {
        let mut body = json!({ "model": "mock-llm", "messages": [user.clone()] });
        body[member] = value;
        body.to_string()
    };
    vec![
        (String::new(), None),
        ("{".into(), None),
        (r#"{"messages":[}"#.into(), None),
        ("not json".into(), None),
        ("[]".into(), Some("body")),
        ("\"text\"".into(), Some("body")),
        ("null".into(), Some("body")),
        (r#"{"model":"mock-llm"}"#.into(), Some("messages")),
        (with("messages", json!("hi")), Some("messages")),
        (with("messages", json!({ "role": "user" })), Some("messages")),
        (with("messages", Value::Null), Some("messages")),
        (with("messages", json!([])), Some("messages")),
        (with("messages", json!(["hi"])), Some("messages[0]")),
        (with("messages", json!([{ "content": "hi" }])), Some("messages[0].role")),
        (with("messages", json!([user, { "role": 7, "content": "hi" }])), Some("messages[1].role")),
        (with("messages", json!([user, { "role": "user" }])), Some("messages[1].content")),
        (with("messages", json!([{ "role": "user", "content": 7 }])), Some("messages[0].content")),
        (with("max_tokens", json!("many")), Some("max_tokens")),
        (with("model", json!(7)), Some("model")),
        (with("model", json!("")), Some("model")),
        (with("stream", json!("yes")), Some("stream")),
    ]
}

/// Bodies that the servers' own routes reject as well. Where a body is passed on unchanged, the vendor validates
/// these members.
fn wrong_bodies_for_own_routes() -> Vec<(String, Option<&'static str>)> {
    let with = |member: &str, value: Value| {
        let mut body = whole("hi");
        body[member] = value;
        body.to_string()
    };
    vec![
        (with("messages", json!([{ "role": "robot", "content": "hi" }])), Some("messages[0].role")),
        (with("messages", json!([{ "role": "user", "content": null }])), Some("messages[0].content")),
        (with("max_tokens", json!(0)), Some("max_tokens")),
        (with("max_tokens", json!(-1)), Some("max_tokens")),
        (with("max_tokens", json!(1.5)), Some("max_tokens")),
        (with("max_tokens", json!(100.0)), Some("max_tokens")),
        (with("max_tokens", json!(1_000_000_000_000_u64)), Some("max_tokens")),
        (with("max_completion_tokens", json!(0)), Some("max_completion_tokens")),
        (with("stream_options", json!({ "include_usage": 1 })), Some("stream_options.include_usage")),
    ]
}

async fn an_invalid_body_is_rejected_with_the_field(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let mut failures = Vec::new();
    for path in POST_ROUTES {
        let own = [STREAM_ROUTE, WHOLE_ROUTE].contains(&path);
        let own = if own { wrong_bodies_for_own_routes() } else { Vec::new() };
        for (body, param) in wrong_bodies().into_iter().chain(own) {
            let request = running.request(Method::POST, path).bearer_auth(DEMO_KEY);
            let request = request.header("content-type", "application/json").body(body.clone());
            let checked = Answer::to(request).await.and_then(|answer| {
                let error = refusal(&answer, 400)?;
                // `/llm` accepts a prompt in place of messages, and may name either.
                let either = path == WHOLE_ROUTE && param == Some("messages") && error.message.contains("prompt");
                ensure!(error.param.as_deref() == param || either, "names {:?}, not {param:?}", error.param);
                ensure!(error.kind == "invalid_request_error", "its type is {}", error.kind);
                Ok(())
            });
            failures.extend(checked.err().map(|error| format!("{path} {body}: {error:#}")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(vendor.calls().is_empty(), "what is refused is not passed on");
    Ok(())
}

async fn unknown_members_are_passed_on_unchanged(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let user = r#"{"role":"user","content":"hi"}"#;
    let call = r#"[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]"#;
    let image = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}}"#;
    let (tools, format) = (r#""tools":[{"type":"function"}],"tool_choice":"auto""#, r#"{"type":"json_object"}"#);
    let bodies = [
        format!(r#"{{"model":"m","messages":[{user}],"max_tokens":-1}}"#),
        format!(r#"{{"model":"m","messages":[{user}],"max_tokens":100.0}}"#),
        format!(r#"{{"model":"m","messages":[{user}],"max_completion_tokens":0,"n":2}}"#),
        format!(r#"{{"model":"m","messages":[{user}],"max_tokens":5000000000,"logit_bias":{{"50256":-100}}}}"#),
        format!(
            r#"{{ "model" : "m", "messages":[{{"role":"user","content":[{{"type":"text","text":"a"}},{image}]}}] }}"#
        ),
        format!(
            r#"{{"model":"m","messages":[{user},{{"role":"assistant","content":null,"tool_calls":{call}}}],{tools}}}"#
        ),
        format!(r#"{{"model":"m","messages":[{user},{{"role":"assistant","tool_calls":{call}}}]}}"#),
        format!(r#"{{"model":"m","messages":[{user},{{"role":"tool","tool_call_id":"c","content":null}}]}}"#),
        r#"{"model":"m","messages":[{"role":"critic","content":"hi","name":"n"}]}"#.to_owned(),
        format!(r#"{{"model":"m","messages":[{user}],"stop":["\n",7],"response_format":{format},"seed":null}}"#),
        format!(r#"{{"model":"m","messages":[{user}],"stream":false,"stream_options":{{"include_usage":1}}}}"#),
    ];
    for path in COMPLETION_ROUTES {
        for body in &bodies {
            let request = running.request(Method::POST, path).bearer_auth(DEMO_KEY);
            let request = request.header("content-type", "application/json").body(body.clone());
            Answer::to(request).await?.json(200).with_context(|| format!("{path} {body}"))?;
            let call = vendor.calls().pop().context("the vendor was not called")?;
            assert_eq!(String::from_utf8_lossy(&call.body), *body, "{path}");
        }
    }
    Ok(())
}

async fn llm_takes_a_prompt_or_messages(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for (body, param) in
        [(json!({}), "messages"), (json!({ "prompt": 7 }), "prompt"), (json!({ "prompt": null }), "prompt")]
    {
        let error = refusal(&Answer::to(running.post(WHOLE_ROUTE, &body)).await?, 400).context(body.to_string())?;
        let named = [error.param.as_deref().unwrap_or(""), &error.message].concat();
        assert!(named.contains(param), "{body}: {error:?}");
    }
    Ok(())
}

async fn an_unknown_path_is_404(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/nope"),
        (Method::POST, "/nope"),
        (Method::GET, "/debug"),
        (Method::GET, "/v1/nope"),
        (Method::POST, "/chat/stream/more"),
        (Method::GET, "/health/"),
        (Method::GET, "/no%20such%22path"),
    ] {
        let answer = Answer::to(running.request(method.clone(), path).bearer_auth(DEMO_KEY)).await?;
        refusal(&answer, 404).with_context(|| format!("{method} {path}"))?;
    }
    Ok(())
}

async fn a_wrong_method_is_405_with_allow(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let posts = POST_ROUTES.map(|path| (path, "POST", [Method::GET, Method::PUT, Method::DELETE]));
    let gets = ["/debug/health-sync", "/debug/health-async", "/health", "/live", "/ready", "/metrics", "/v1/models"]
        .map(|path| (path, "GET", [Method::POST, Method::PUT, Method::DELETE]));
    for (path, allowed, methods) in posts.into_iter().chain(gets) {
        for method in methods {
            let answer = Answer::to(running.request(method.clone(), path).bearer_auth(DEMO_KEY)).await?;
            refusal(&answer, 405).with_context(|| format!("{method} {path}"))?;
            let allow = answer.header("allow").with_context(|| format!("{method} {path}: no Allow"))?;
            assert!(allow.split(',').any(|method| method.trim() == allowed), "{method} {path}: Allow: {allow}");
        }
    }
    Ok(())
}

async fn a_wrong_content_type_is_415(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let body = json!({ "model": "mock-llm", "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    for path in POST_ROUTES {
        for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")] {
            let mut request = running.request(Method::POST, path).bearer_auth(DEMO_KEY).body(body.clone());
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            refusal(&Answer::to(request).await?, 415).with_context(|| format!("{path} {kind:?}"))?;
        }
    }
    assert!(vendor.calls().is_empty());
    Ok(())
}

async fn every_spelling_of_json_is_accepted(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let body = json!({ "model": "mock-llm", "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    for path in [WHOLE_ROUTE, COMPLETION_ROUTES[0], COMPLETION_ROUTES[1]] {
        for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"] {
            let request = running.request(Method::POST, path).bearer_auth(DEMO_KEY).body(body.clone());
            let answer = Answer::to(request.header("content-type", kind)).await?;
            answer.json(200).with_context(|| format!("{path} {kind}"))?;
        }
    }
    Ok(())
}

async fn long_input_is_not_echoed_in_errors(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let page = "x".repeat(4000);
    let path = Answer::to(running.get(&format!("/{page}"))).await?;
    refusal(&path, 404)?;
    let field = Answer::to(running.post(STREAM_ROUTE, &json!({ "messages": page }))).await?;
    refusal(&field, 400)?;
    for answer in [path, field] {
        assert!(answer.body.len() < 1000, "{} bytes: {}", answer.body.len(), answer.text());
    }
    Ok(())
}
