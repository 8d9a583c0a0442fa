//! Keys of OpenAI's routes.

use std::time::Duration;

use conformance::answer::Answer;
use conformance::error_shape::refusal;
use conformance::on_every_server;
use conformance::running::{COMPLETION_ROUTES, STREAM_ROUTE, WHOLE_ROUTE, whole};
use conformance::servers::Server;
use conformance::vendor::{Vendor, script};
use mock_llm::MockLlm;
use reqwest::Method;

on_every_server!(
    openais_routes_need_a_valid_key,
    the_demo_key_is_valid,
    the_other_routes_need_no_key,
    a_refused_key_costs_no_call
);

/// Values of `Authorization` that are rejected.
const NOT_A_KEY: [Option<&str>; 7] = [
    None,
    Some(""),
    Some("Bearer"),
    Some("Bearer wrong-key"),
    Some("Bearer demo-key2"),
    Some("Basic ZGVtby1rZXk6"),
    Some("demo-key"),
];

async fn openais_routes_need_a_valid_key(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    for authorization in NOT_A_KEY {
        let routes =
            COMPLETION_ROUTES.map(|path| (Method::POST, path)).into_iter().chain([(Method::GET, "/v1/models")]);
        for (method, path) in routes {
            let mut request = running.request(method, path).json(&whole("hi"));
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let error = refusal(&Answer::to(request).await?, 401)
                .map_err(|error| error.context(format!("{path} with {authorization:?}")))?;
            assert_eq!(error.code.as_deref(), Some("invalid_api_key"), "{path} with {authorization:?}");
            assert!(!error.message.contains("demo-key"), "the key is leaked: {}", error.message);
        }
    }
    Ok(())
}

async fn the_demo_key_is_valid(server: &'static Server) -> anyhow::Result<()> {
    let short = Duration::from_millis(1);
    let mock = MockLlm::builder().tokens(1).ttft(short).inter_token(short).start().await?;
    let running = server.start(&mock.url(), &[]).await?;
    // The scheme's name is case-insensitive (RFC 9110, 11.1).
    for value in ["Bearer demo-key", "bearer demo-key", "BEARER \t demo-key"] {
        for path in COMPLETION_ROUTES {
            let request = running.request(Method::POST, path).header("authorization", value).json(&whole("hi"));
            Answer::to(request).await?.json(200).map_err(|error| error.context(format!("{path} with {value}")))?;
        }
        Answer::to(running.get("/v1/models").header("authorization", value)).await?.json(200)?;
    }
    Ok(())
}

async fn the_other_routes_need_no_key(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::by_prompt([("stream", script::stream(&["a"])), ("whole", script::completion("a"))]).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    Answer::to(running.request(Method::POST, STREAM_ROUTE).json(&whole("stream"))).await?.events()?;
    Answer::to(running.request(Method::POST, WHOLE_ROUTE).json(&whole("whole"))).await?.json(200)?;
    for path in ["/debug/health-sync", "/debug/health-async", "/health", "/live", "/ready"] {
        Answer::to(running.get(path)).await?.json(200)?;
    }
    Ok(())
}

async fn a_refused_key_costs_no_call(server: &'static Server) -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::completion("a")).await?;
    let running = server.start(&vendor.url(), &[]).await?;
    let request = running.request(Method::POST, COMPLETION_ROUTES[0]).bearer_auth("wrong").json(&whole("hi"));
    assert_eq!(Answer::to(request).await?.status, 401);
    assert!(vendor.calls().is_empty());
    Ok(())
}
