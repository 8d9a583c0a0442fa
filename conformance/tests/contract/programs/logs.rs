use anyhow::Context;
use conformance::answer::Answer;
use conformance::running::{STREAM_ROUTE, streamed};
use conformance::servers;
use conformance::vendor::{ClosedPort, Vendor, script};
use serde_json::Value;

use super::ALL;

#[tokio::test]
async fn json_logs_are_json_but_for_the_line_that_says_where() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for facts in ALL {
        let launch = facts.launch(&nobody)?.args(["--log-format", "json", "--log-level", "debug"]);
        let mut program = launch.start().await?;
        // A request gives them something to say.
        let client = reqwest::Client::builder().no_proxy().build()?;
        client.get(format!("http://{}/health", program.address())).send().await?;
        assert_eq!(program.terminate().await?, Some(0), "{}", facts.program);
        let (plain, json): (Vec<_>, Vec<_>) =
            program.log().into_iter().partition(|line| line.contains("listening on http://") && !line.starts_with('{'));
        assert_eq!(plain.len(), 1, "{}: {plain:?}", facts.program);
        assert!(!json.is_empty(), "{}: nothing is logged at debug", facts.program);
        for line in json {
            let line: Value = serde_json::from_str(&line).with_context(|| format!("{}: {line}", facts.program))?;
            assert!(line.is_object(), "{}: {line}", facts.program);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_no_terminal_has_no_colour() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for facts in ALL {
        let mut program = facts.launch(&nobody)?.args(["--log-level", "debug"]).start().await?;
        program.terminate().await?;
        assert!(program.log().iter().all(|line| !line.contains('\u{1b}')), "{}: {:?}", facts.program, program.log());
    }
    Ok(())
}

/// fixed-server tells of each request once; broken-server of none, since its symptom is to be seen.
#[tokio::test]
async fn a_good_request_is_one_line_at_most_by_default() -> anyhow::Result<()> {
    const REQUESTS: usize = 20;
    let vendor = Vendor::playing(script::stream(&["a"])).await?;
    for (server, expected) in [(&servers::NONE, 0), (&servers::FIXED, REQUESTS)] {
        let mut running = server.start(&vendor.url(), &[]).await?;
        for _ in 0..REQUESTS {
            Answer::to(running.post(STREAM_ROUTE, &streamed("hi"))).await?.events()?;
        }
        running.program.terminate().await?;
        let lines = running.program.log();
        let ended = lines.iter().filter(|line| line.contains("request ended")).count();
        assert_eq!(ended, expected, "{}: {lines:#?}", server.name);
        assert!(lines.len() < expected + REQUESTS, "{}: {lines:#?}", server.name);
    }
    Ok(())
}

#[tokio::test]
async fn broken_server_says_which_mistake_it_runs() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for server in servers::ALL.into_iter().filter(|server| server.program == "broken-server") {
        let mut running = server.start(&nobody.url()?, &[]).await?;
        assert_eq!(running.program.terminate().await?, Some(0), "{}", server.name);
        let mistake = server.args[1];
        assert!(running.program.log().iter().any(|line| line.contains(mistake)), "{:?}", running.program.log());
    }
    Ok(())
}
