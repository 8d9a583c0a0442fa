//! Exit codes are a contract: 0 the objectives were met, 1 they were not, 2 bad usage, 3 the run is invalid.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod result_schema;
mod scripted;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use loadgen::lab::Group;
use mock_llm::MockLlm;
use result_schema::ResultSchema;
use serde_json::Value;

fn loadgen(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadgen")).args(args).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const BODY: &str = r#"{"model":"mock-llm","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;

/// `run` against the vendor itself, which has OpenAI's route and a health route.
async fn run_on_vendor(vendor: &MockLlm, more: &[&str]) -> (i32, String) {
    let url = vendor.url();
    let to = ["run", "--url", &url, "--path", "/v1/chat/completions", "--baseline", "300ms", "--body", BODY];
    let load = ["--probe", "health=/health", "--probe", "health_sync=/health", "--ramp", "0s"];
    scripted::loadgen(&[&to[..], &load, more].concat()).await
}

/// Five streams for a while.
const FIVE: [&str; 4] = ["--concurrency", "5", "--duration", "1500ms"];

async fn vendor() -> MockLlm {
    let gap = Duration::from_millis(20);
    MockLlm::builder().tokens(10).ttft(gap).inter_token(gap).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn objectives_decide_between_0_and_1() {
    let vendor = vendor().await;
    let run = async |objectives: &[&str]| run_on_vendor(&vendor, &[&FIVE, objectives].concat()).await;
    let (met, said) = run(&["--slo", "lost==0", "--slo", "health.p99<5s", "--slo", "completed>=10"]).await;
    assert_eq!(met, 0, "{said}");
    let (missed, said) = run(&["--slo", "completed>=1000000"]).await;
    assert_eq!(missed, 1, "{said}");
    let (none, said) = run(&[]).await;
    assert_eq!(none, 0, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_file_has_the_fields_of_the_contract() {
    let vendor = vendor().await;
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("run.json");
    let pid = std::process::id().to_string();
    let url = vendor.url();
    let more = ["--out", out.to_str().unwrap(), "--vendor", &url, "--pid", &pid, "--slo", "health.p99<5s"];
    let (code, said) = run_on_vendor(&vendor, &[&FIVE[..], &more].concat()).await;
    assert_eq!(code, 0, "{said}");
    let result: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    ResultSchema::new().refuses_changes(&result);
    for path in [
        "/schema_version",
        "/command",
        "/environment/cores",
        "/environment/memory_bytes",
        "/environment/os",
        "/parameters/concurrency",
        "/target/streams/requested",
        "/target/streams/peak_active",
        "/target/streams/completed",
        "/target/streams/failed",
        "/target/streams/truncated",
        "/target/streams/time_to_first_token_ms/p50",
        "/target/streams/inter_token_ms/p99",
        "/target/streams/chunks",
        "/target/streams/chunks_per_second",
        "/target/probes/health_sync/sent",
        "/target/probes/health_sync/ok",
        "/target/probes/health_sync/failed",
        "/target/probes/health_sync/timed_out",
        "/target/probes/health_sync/latency_ms/p50",
        "/target/probes/health_sync/latency_ms/p90",
        "/target/probes/health_sync/latency_ms/p99",
        "/target/probes/health_sync/latency_ms/max",
        "/target/baseline/health_sync/latency_ms/p99",
        "/target/baseline/probes/health_sync/latency_ms/p99",
        "/target/vendor/peak_active",
        "/target/vendor/completed",
        "/target/process/cpu_seconds",
        "/target/process/rss_peak_bytes",
        "/target/process/threads_peak",
        "/target/process/fds_peak",
        "/target/timeline/0/t_ms",
        "/self/schedule_lag_ms/p50",
        "/self/schedule_lag_ms/p99",
        "/self/schedule_lag_ms/max",
        "/verdict/result",
        "/verdict/claims/0/name",
        "/verdict/claims/0/arm",
        "/verdict/claims/0/measured",
        "/verdict/claims/0/comparison",
        "/verdict/claims/0/threshold",
        "/verdict/claims/0/unit",
        "/verdict/claims/0/held",
    ] {
        assert!(result.pointer(path).is_some_and(|value| !value.is_null()), "{path} is missing in {result:#}");
    }
    let number = |path: &str| result.pointer(path).and_then(Value::as_u64).unwrap();
    let probes = |what: &str| number(&format!("/target/probes/health_sync/{what}"));
    assert_eq!(probes("sent"), probes("ok") + probes("failed") + probes("timed_out"));
    assert!(number("/target/vendor/completed") >= number("/target/streams/completed"));
}

#[test]
fn every_flag_can_be_an_environment_variable() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.arg("run").env("LOADGEN_URL", "http://127.0.0.1:1").env("LOADGEN_CONCURRENCY", "many");
    let output = command.output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("'many' for '--concurrency"), "{}", stderr(&output));
}

#[test]
fn bad_usage_exits_with_2_and_names_the_flag_or_value() {
    for (args, named) in [
        (
            &["run", "--url", "http://192.0.2.1:80"][..],
            "not on this machine, but at 192.0.2.1: if it is yours to load, say",
        ),
        (&["run", "--url", "https://127.0.0.1:1"], "https"),
        (&["run", "--url", "nonsense"], "nonsense"),
        (&["run", "--url", "http://127.0.0.1:1", "--slo", "nonsense"], "nonsense"),
        (&["run", "--url", "http://127.0.0.1:1", "--concurrency", "0"], "--concurrency"),
        (&["run", "--url", "http://127.0.0.1:1", "--rate", "-1"], "-1"),
        (&["run", "--url", "http://127.0.0.1:1", "--duration", "0s"], "--duration"),
        (&["run", "--url", "http://127.0.0.1:1", "--ramp", "5s", "--duration", "1s"], "--ramp"),
        (&["run", "--url", "http://127.0.0.1:1", "--cancel-share", "2"], "--cancel-share"),
        (&["run"], "--url"),
        (&["demo", "sideways"], "sideways"),
        (&["verify", "--url", "http://127.0.0.1:1", "--streams", "0"], "--streams"),
        (&["verify", "--url", "http://127.0.0.1:1", "--as-in-source", "--checks", "0"], "--checks"),
        (&["sequence", "--url", "http://127.0.0.1:1"], "--api-key"),
        (&["sequence", "--url", "http://127.0.0.1:1", "--api-key", ""], "--api-key"),
        (&["sequence", "--url", "http://127.0.0.1:1", "--api-key", "k", "--calls", "13"], "1..=12"),
        (&["sequence", "--url", "http://127.0.0.1:1", "--api-key", "k", "--token-share", "0"], "--token-share"),
        (&["sequence", "--url", "http://192.0.2.1:80", "--api-key", "k"], "192.0.2.1"),
        (&["sequence", "--url", "http://127.0.0.1:1", "--api-key", "a\nb"], "--api-key"),
        (&["lab", "pool-exhaustoin"], "did you mean 'pool-exhaustion'"),
        (&["lab"], "NAME"),
        (&["lab", "pool-exhaustion", "--expect-fixed", "--side", "fixed"], "--expect-fixed"),
        (&["lab", "pool-exhaustion", "--side", "sideways"], "sideways"),
        (&["lab", "pool-exhaustion", "--start-timeout", "soon"], "--start-timeout"),
        (&["labs", "--out", "all.json"], "--out needs labs to run"),
        (&["labs", "--group", "threads", "rollout"], "cannot be used with"),
        (&["labs", "--group", "thread"], "[possible values: threads, calls, operations]"),
        (&["labs", "--html", "all.html"], "--html needs labs to run"),
        (&["run", "--url", "http://127.0.0.1:1", "--out", "a", "--html", "a"], "--out and --html name the same file"),
        (&["report"], "FILE"),
        (&["report", "no-such-file.json"], "no-such-file.json"),
        (&["report", "a.json", "b.json", "--picture", "a.svg"], "--picture"),
        (&["report", "a.json", "--scheme", "dark"], "--picture"),
        (&["report", "a.json", "b.json", "--fail-on-regression", "much"], "--fail-on-regression"),
        (&["report", "Cargo.toml", "--fail-on-regression", "5"], "Cargo.toml"),
        (&["nonsense"], "nonsense"),
        (&[], "Usage"),
    ] {
        let output = loadgen(args);
        assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(named), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_url_without_a_server_exits_with_3_and_one_line() {
    // Bound, and it never listens. A listener that is dropped may live on for a moment in a child that another test
    // has just forked.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    for command in [&["run"][..], &["verify"], &["watch"], &["sequence", "--api-key", "demo-key"]] {
        let output = loadgen(&[command, &["--url", &url]].concat());
        assert_eq!(code(&output), 3, "{command:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(&url) && stderr(&output).lines().count() == 1, "{}", stderr(&output));
    }
}

#[test]
fn missing_programs_exit_with_3_and_say_what_to_build() {
    let output = loadgen(&["demo", "--program-dir", "/nonexistent"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("/nonexistent/mock-llm") && stderr(&output).contains("make build"));
}

#[test]
fn the_list_of_labs_names_each_with_the_time_it_takes() {
    let output = loadgen(&["labs"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for lab in loadgen::labs::all() {
        let line = said.lines().find(|line| line.split_whitespace().next() == Some(lab.name));
        let seconds = format!(" {} s ", lab.normal.takes().as_secs_f64().ceil());
        assert!(line.is_some_and(|line| line.contains(&seconds)), "{}:\n{said}", lab.name);
    }
}

#[test]
fn another_kind_of_database_url_is_rejected_without_repeating_it() {
    for url in ["mysql://u:hunter2@h/d", "hunter2"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        command.args(["lab", "db-held-during-call", "--fast", "--quiet"]).env("LOADGEN_DATABASE_URL", url);
        let output = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
        assert_eq!(code(&output), 2, "{said}");
        assert!(said.contains("--database-url: expected postgres://") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn the_labs_of_a_group_are_listed_alone() {
    let output = loadgen(&["labs", "--group", "operations"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for lab in loadgen::labs::all() {
        let listed = said.lines().any(|line| line.split_whitespace().next() == Some(lab.name));
        assert_eq!(listed, lab.group == Group::Operations, "{}:\n{said}", lab.name);
    }
}

#[test]
fn prose_fits_a_narrow_terminal() {
    for (columns, most) in [("70", 70), ("100", 100), ("nonsense", 80), ("3", 80)] {
        let output = Command::new(env!("CARGO_BIN_EXE_loadgen")).arg("labs").env("COLUMNS", columns).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let widest = said.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((most - 15..=most).contains(&widest), "COLUMNS={columns}: {widest}\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_a_run_leaves_out_earlier_runs() {
    let vendor = vendor().await;
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vendor.json");
    let mut shown = Vec::new();
    for streams in ["20", "3"] {
        let url = vendor.url();
        let load = ["--duration", "1s", "--concurrency", streams, "--vendor", &url, "--out", out.to_str().unwrap()];
        let (code, said) = run_on_vendor(&vendor, &load).await;
        assert_eq!(code, 0, "{said}");
        let result: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        let number = |path: &str| result.pointer(path).and_then(Value::as_u64).unwrap();
        assert_eq!(number("/target/vendor/started"), number("/target/streams/requested"));
        shown.push(number("/target/vendor/peak_active"));
    }
    // A vendor notices a disconnect a moment later, so one or two more streams may overlap.
    assert!(shown[0] >= 20 && (3..=6).contains(&shown[1]), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_pressure_exits_with_3() {
    let vendor = vendor().await;
    // Answers that end at once: 500 of them, spread over a second, never overlap enough.
    let args = ["run", "--url", &vendor.url(), "--path", "/v1/models", "--method", "GET", "--baseline", "100ms"];
    let more = ["--concurrency", "500", "--ramp", "1s", "--duration", "1100ms", "--probe", "health_sync=/health"];
    let (code, said) = scripted::loadgen(&[&args[..], &more].concat()).await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("pressure"), "{said}");
}
