//! `diagnose` on the servers of this repository, whose limits are known.

use std::path::Path;

use futures_util::future::join_all;
use process::{Launch, START_TIMEOUT, ServerProcess};
use serde_json::Value;

use crate::scripted::judged;

/// A server, and what must be found out about it.
struct Case {
    server: &'static str,
    flags: &'static str,
    exit_code: i32,
    kind: &'static str,
    form: Option<&'static str>,
    /// Give or take one; `None` for any.
    limit: Option<u64>,
}

const SYNC: &str = "/debug/health-sync";

const CASES: [Case; 6] = [
    Case {
        server: "broken-server",
        flags: "--mistake pool-exhaustion --blocking-threads 4",
        exit_code: 1,
        kind: "thread_pool_held",
        form: Some("inner_pool"),
        limit: Some(4),
    },
    Case {
        server: "broken-server",
        flags: "--mistake pool-per-chunk --blocking-threads 4",
        exit_code: 1,
        kind: "thread_pool_per_chunk",
        form: None,
        // There is no time to look for the corner.
        limit: None,
    },
    Case {
        server: "broken-server",
        flags: "--mistake blocked-executor",
        exit_code: 1,
        kind: "event_loop_blocked",
        form: None,
        limit: Some(1),
    },
    Case {
        server: "fixed-server",
        flags: "--max-in-flight 4",
        exit_code: 1,
        kind: "upstream_limit",
        form: None,
        limit: Some(4),
    },
    Case {
        server: "fixed-server",
        flags: "--max-connections 8",
        exit_code: 1,
        kind: "connection_limit",
        form: None,
        limit: Some(8),
    },
    Case {
        server: "broken-server",
        flags: "--mistake none",
        exit_code: 0,
        kind: "none_found",
        form: None,
        limit: None,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_our_own_servers_is_found() {
    let vendor = start("mock-llm", "--tokens 45 --ttft 100ms --inter-token 100ms").await;
    let wrong: Vec<String> = join_all(CASES.iter().map(|case| wrong_about(case, vendor.url()))).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Diagnoses the server of a case, and says what is not as it must be.
async fn wrong_about(case: &Case, upstream: String) -> Vec<String> {
    let server = start(case.server, &format!("{} --upstream {upstream}", case.flags)).await;
    let name = format!("{} {}", case.server, case.flags);
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.json", name.replace(' ', "_")));
    let (url, pid, out_arg) = (server.url(), server.pid().to_string(), out.to_str().unwrap());
    // Its process, because the others use the processors of the machine too.
    let mut args = vec!["diagnose", "--url", &url, "--health-path", SYNC, "--out", out_arg];
    args.extend(["--pid", &pid, "--max-streams", "16", "--budget", "30s"]);
    let (code, said, _) = judged(&Launch::new(env!("CARGO_BIN_EXE_loadgen")).args(args)).await;
    let Ok(file) = std::fs::read(&out) else { return vec![format!("{name}: no result: {said}")] };
    let found = &serde_json::from_slice::<Value>(&file).unwrap()["diagnosis"];
    let is_near = |limit: u64| found["limit"].as_u64().is_some_and(|found| found.abs_diff(limit) <= 1);
    let checks = [
        (found["kind"] == case.kind, format!("kind {}, not {}", found["kind"], case.kind)),
        (case.form.is_none_or(|form| found["form"] == form), format!("form {}, not {:?}", found["form"], case.form)),
        (case.limit.is_none_or(is_near), format!("limit {}, not {:?}", found["limit"], case.limit)),
        (code == case.exit_code, format!("exit code {code}, not {}", case.exit_code)),
    ];
    let wrong = checks.into_iter().filter(|(is_right, _)| !is_right);
    wrong.map(|(_, what)| format!("{name}: {what}\n{}\n{said}", found["evidence"])).collect()
}

async fn start(program: &str, flags: &str) -> ServerProcess {
    let path = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name(program);
    Launch::new(path).on_free_port().args(flags.split(' ')).start(START_TIMEOUT).await.unwrap()
}
