//! However it ends, nothing is left behind.

use std::time::{Duration, Instant};

use process::Signal;
use serde_json::json;

use crate::page::{LIMIT, Playground};
use crate::test_programs::TestPrograms;

const SIGNALS: [Signal; 4] = [Signal::Int, Signal::Term, Signal::Hup, Signal::Kill];

#[tokio::test(flavor = "multi_thread")]
async fn every_signal_ends_the_streams_of_events_and_all_programs() {
    let programs = TestPrograms::beside_others("signals");
    for signal in SIGNALS {
        let playground = Playground::start(&programs, None).await;
        let mut page = playground.page().await;
        playground.started(&mut page, "pool-exhaustion").await;
        playground.order("/api/streams", json!({"count": 10})).await;
        playground.order("/api/singles", json!({"arm": "broken", "on": true})).await;
        page.wait("token", |_| true).await;
        let begun = Instant::now();
        playground.process.signal(signal).unwrap();
        assert!(page.has_ended().await, "{signal}");
        let status = playground.process.wait(LIMIT).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{signal}: {:?}", begun.elapsed());
        let expected = if signal == Signal::Kill { None } else { Some(0) };
        assert_eq!(status.code(), expected, "{signal}");
        programs.wait_until_gone();
    }
}

/// A server that never listens.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_programs_start_ends_them() {
    let programs = TestPrograms::beside_others("starting");
    let real = std::path::Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("broken-server");
    let never = format!("[ \"$1\" = --list ] && exec {} --list\nwhile :; do sleep 0.1; done", real.display());
    programs.replace("broken-server", &never);
    let playground = Playground::start(&programs, None).await;
    let mut page = playground.page().await;
    playground.order("/api/start", json!({"mistake": "pool-exhaustion"})).await;
    let state = page.state(|state| state["arms"]["fixed"]["running"] == true).await;
    assert_eq!((&state["starting"], &state["arms"]["broken"]["starting"]), (&json!(true), &json!(true)), "{state}");
    playground.order("/api/stop", json!({})).await;
    let state = page.state(|state| state["starting"] == false && state["running"] == false).await;
    assert_eq!(state["arms"]["broken"]["error"], json!(null), "{state}");
    programs.wait_until_gone();
}

/// A server that ends by itself: the page says so, and the other arm goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_is_named_and_the_other_arm_goes_on() {
    let programs = TestPrograms::beside_others("ended");
    let playground = Playground::start(&programs, None).await;
    let mut page = playground.page().await;
    playground.started(&mut page, "pool-exhaustion").await;
    let pid = programs.pids("broken-server").remove(0);
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let state = page.state(|state| state["arms"]["broken"]["running"] == false).await;
    let error = state["arms"]["broken"]["error"].as_str().unwrap();
    assert!(error.contains("broken-server") && error.contains("signal: 9"), "{error}");
    assert_eq!(state["arms"]["fixed"]["running"], true, "{state}");
    playground.order("/api/arms/broken/start", json!({})).await;
    let state = page.state(|state| state["arms"]["broken"]["running"] == true).await;
    assert_eq!(state["arms"]["broken"]["error"], json!(null), "{state}");
}
