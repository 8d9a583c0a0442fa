//! Environment variables in place of flags.

use conformance::answer::Answer;
use conformance::program::launch;
use conformance::running::{Running, STREAM_ROUTE, streamed};
use conformance::servers;
use conformance::transcript::Completion;
use conformance::vendor::{Vendor, script};
use conformance::wait::TIMEOUT;
use wire::STREAM_METHOD_HEADER;

use super::ALL;

#[tokio::test]
async fn variables_work_in_place_of_flags() -> anyhow::Result<()> {
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    let servers = [(&servers::NONE, "BROKEN_SERVER_", Some("none")), (&servers::FIXED, "FIXED_SERVER_", None)];
    for (server, prefix, mistake) in servers {
        let mut launch = launch(server.program)?.env(format!("{prefix}LISTEN"), "127.0.0.1:0");
        launch = launch.env(format!("{prefix}UPSTREAM"), vendor.url());
        if let Some(mistake) = mistake {
            launch = launch.env(format!("{prefix}MISTAKE"), mistake);
        }
        let running = Running::new(server, launch.start(TIMEOUT).await?)?;
        let answer = Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?;
        answer.events()?;
        assert_eq!(answer.header(STREAM_METHOD_HEADER), Some(server.stream_method), "{}", server.name);
    }
    Ok(())
}

#[tokio::test]
async fn the_mocks_variables_work_too() -> anyhow::Result<()> {
    let mock = launch("mock-llm")?.env("MOCK_LLM_LISTEN", "127.0.0.1:0").env("MOCK_LLM_TOKENS", "3");
    let mock = mock.env("MOCK_LLM_TTFT", "1ms").env("MOCK_LLM_INTER_TOKEN", "1ms").start(TIMEOUT).await?;
    let client = gateway::http_client().build()?;
    let request = client.post(format!("http://{}/v1/chat/completions", mock.addr())).json(&streamed("hi"));
    assert_eq!(Completion::of(&Answer::to(request).await?.events()?)?.tokens().len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_flag_beats_its_variable() -> anyhow::Result<()> {
    for facts in ALL {
        let program = launch(facts.program)?.env(format!("{}LISTEN", facts.prefix), "nonsense");
        program.on_free_port().start(TIMEOUT).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_invalid_variable_is_named_and_exits_with_2() -> anyhow::Result<()> {
    for (program, variable, value, flag) in [
        ("mock-llm", "MOCK_LLM_TOKENS", "many", "--tokens"),
        ("mock-llm", "MOCK_LLM_LISTEN", "nonsense", "--listen"),
        ("broken-server", "BROKEN_SERVER_BLOCKING_THREADS", "0", "--blocking-threads"),
        ("broken-server", "BROKEN_SERVER_MISTAKE", "nonsense", "--mistake"),
        ("fixed-server", "FIXED_SERVER_MAX_IN_FLIGHT", "0", "--max-in-flight"),
        ("fixed-server", "FIXED_SERVER_SLA", "never", "--sla"),
    ] {
        let ended = launch(program)?.env(variable, value).output(TIMEOUT).await?;
        assert_eq!(ended.code(), Some(2), "{variable}={value}: {}", ended.stderr);
        let named = ended.stderr.contains(flag) || ended.stderr.contains(variable);
        assert!(named && ended.stderr.contains(value), "{variable}={value}: {}", ended.stderr);
    }
    Ok(())
}
