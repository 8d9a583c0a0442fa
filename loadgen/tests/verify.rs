//! The source's rule and the honest one, on the same servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::Path;
use std::process::{Command, Output};

use loadgen::stand::{Program, START_TIMEOUT};

async fn start(name: &str, args: &[&str]) -> Program {
    let programs = Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().unwrap();
    let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
    Program::start(programs, name, &args, START_TIMEOUT).await.unwrap()
}

/// The exit code of `verify`, with little in place of much. A run that calls itself invalid because the
/// machine is busy is run again.
async fn verify(server: &Program, more: &[&str]) -> (Option<i32>, String) {
    let url = format!("http://{}", server.addr());
    let mut args = vec!["verify", "--url", &url, "--streams", "8", "--checks", "4", "--interval", "250ms"];
    args.extend(["--timeout", "1s"]);
    args.extend(more);
    let run = || -> Output { Command::new(env!("CARGO_BIN_EXE_loadgen")).args(&args).output().unwrap() };
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let mut output = run();
    for _ in 0..5 {
        if !said(&output).contains("the generator itself lagged") {
            break;
        }
        output = run();
    }
    (output.status.code(), said(&output))
}

const AS_IN_SOURCE: &[&str] = &["--as-in-source"];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_every_stream_passes_the_source_and_fails_here() {
    // Nobody listens at port 1.
    let refusing = start("broken-server", &["--mistake", "none", "--upstream", "http://127.0.0.1:1"]).await;
    let (code, said) = verify(&refusing, AS_IN_SOURCE).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = verify(&refusing, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("lost==0") && said.contains("status 502"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_rules_pass_a_good_server_and_fail_an_exhausted_one() {
    let vendor = start("mock-llm", &["--tokens", "60", "--ttft", "50ms", "--inter-token", "50ms"]).await;
    let upstream = format!("http://{}", vendor.addr());
    let good = start("fixed-server", &["--upstream", &upstream]).await;
    let exhausted = ["--mistake", "pool-exhaustion", "--blocking-threads", "8", "--upstream", &upstream];
    let exhausted = start("broken-server", &exhausted).await;
    for rule in [&[][..], AS_IN_SOURCE] {
        let (code, said) = verify(&good, rule).await;
        assert_eq!(code, Some(0), "{rule:?}: {said}");
        let (code, said) = verify(&exhausted, rule).await;
        assert_eq!(code, Some(1), "{rule:?}: {said}");
    }
}
