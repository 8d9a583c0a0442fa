//! How `run` judges servers with known faults: failing checks, empty streams, wrong paths.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::page_rules;
use crate::result_schema::ResultSchema;
use crate::scripted::{CHECK_OK, FAILING, FAILS, HANGS, OK, REJECTS, Request, Script, loadgen, serve};

const GAP: Duration = Duration::from_millis(20);

/// A good stream of two seconds.
const GOOD: Script = |mut request| Box::pin(async move { _ = request.tokens(100, GAP).await });
/// A check that is answered at once, but with a failure as soon as there are streams.
const CHECK_FAILS_UNDER_LOAD: Script = |mut request| {
    Box::pin(async move {
        let failing = request.seen.open.load(Relaxed) >= 4;
        request.send(if failing { FAILING } else { OK }).await;
    })
};

/// `run` with four streams for a second and these arguments: its exit code, its output and its result file.
async fn run(server: std::net::SocketAddr, more: &[&str]) -> (i32, String, Value) {
    static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let file = format!("judged-{}-{}.json", std::process::id(), RUNS.fetch_add(1, Relaxed));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let html = out.with_extension("html");
    let url = format!("http://{server}");
    let mut args = vec!["run", "--url", &url, "--concurrency", "4", "--ramp", "100ms", "--duration", "1s"];
    args.extend(["--baseline", "200ms", "--probe-timeout", "500ms", "--out", out.to_str().unwrap()]);
    args.extend(["--html", html.to_str().unwrap()]);
    if !more.contains(&"--probe") {
        args.extend(["--probe", "health=/health"]);
    }
    args.extend(more);
    let (code, said) = loadgen(&args).await;
    let result = std::fs::read(&out).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(Value::Null);
    // Without it the files are those of an earlier try.
    if said.contains("The page:") {
        page_rules::check(&std::fs::read_to_string(&html).unwrap(), &result);
        let again = loadgen(&["report", out.to_str().unwrap()]).await.1;
        assert!(said.contains(again.trim_end()), "what the run printed:\n{said}\nwhat its file says:\n{again}");
    }
    [out, html].iter().for_each(|file| drop(std::fs::remove_file(file)));
    if !result.is_null() {
        ResultSchema::new().accepts(&result);
    }
    (code, said, result)
}

fn number(result: &Value, path: &str) -> u64 {
    result.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} in {result:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_fails_is_not_fast() {
    let (server, seen) = serve(GOOD, CHECK_FAILS_UNDER_LOAD).await;
    for objective in ["health.p50<100ms", "health.p99<100ms", "health.max<10s", "health.p50>0ms", "health.failed==0"] {
        let (code, said, result) = run(server, &["--slo", objective]).await;
        assert_eq!(code, 1, "{objective}: {said}");
        let (sent, failed) =
            (number(&result, "/target/probes/health/sent"), number(&result, "/target/probes/health/failed"));
        assert!(failed == sent && failed > 0, "{failed} of {sent} failed");
        assert_eq!(number(&result, "/target/probes/health/failures/status 500"), failed);
        assert!(said.contains("probes failed: status 500"), "{said}");
        // The streams of one run must have ended before the next checks the idle server.
        while seen.open.load(Relaxed) > 0 {
            sleep(GAP).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_health_path_is_reported_before_the_load() {
    let (server, seen) = serve(GOOD, REJECTS).await;
    let url = format!("http://{server}");
    let text = "GET /debug/health-sync answered 404 before any load: set the path of your health check with ";
    for (command, flag) in [("run", "--probe"), ("verify", "--health-path"), ("watch", "--probe")] {
        let (code, said) = loadgen(&[command, "--url", &url]).await;
        assert_eq!(code, 3, "{command}: {said}");
        assert!(said.contains(&format!("{text}{flag}")), "{command}: {said}");
    }
    assert_eq!(seen.streams.load(Relaxed), 0, "no load was put on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_objectives_is_not_judged_and_warns() {
    const HANGS_UNDER_LOAD: Script = |mut request| {
        Box::pin(async move {
            if request.seen.open.load(Relaxed) >= 4 {
                request.hang().await;
            }
            request.send(OK).await;
        })
    };
    // Each beside the others, with a server of its own: the preflight waits for a first token that does not come.
    let run_on_one = async |more: &[&str]| run(serve(HANGS, HANGS_UNDER_LOAD).await.0, more).await;
    let (unjudged, lost, without_token) =
        tokio::join!(run_on_one(&[]), run_on_one(&["--slo", "lost==0"]), run_on_one(&["--slo", "without_token==0"]));
    let (code, said, result) = unjudged;
    assert_eq!((code, result.pointer("/verdict/judged")), (0, Some(&Value::Bool(false))), "{said}");
    assert!(said.contains("Not judged") && !said.contains("HELD"), "{said}");
    for warning in ["probes timed out", "4 of 4 streams had no token", "4 of 4 streams had stalled"] {
        assert!(said.contains(warning), "{warning}: {said}");
    }
    let (code, said, result) = lost;
    assert_eq!((code, number(&result, "/target/streams/stalled")), (1, 4), "{said}");
    let (code, said, _) = without_token;
    assert_eq!(code, 1, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_probes_end_before_the_streams_are_closed() {
    // A full pool: no check is answered while the four streams are open, and all checks as soon as one ends.
    const UNTIL_THEY_LEAVE: Script = |mut request| {
        Box::pin(async move {
            let seen = request.seen.clone();
            while seen.open.load(Relaxed) >= 4 {
                sleep(Duration::from_millis(2)).await;
            }
            request.send(OK).await;
        })
    };
    const ENDLESS: Script = |mut request| Box::pin(async move { _ = request.tokens(100_000, GAP).await });
    let (server, _) = serve(ENDLESS, UNTIL_THEY_LEAVE).await;
    let (code, said, result) = run(server, &["--drain", "0s", "--slo", "health.timed_out==0"]).await;
    assert_eq!(code, 1, "{said}");
    let of = |what: &str| number(&result, &format!("/target/probes/health/{what}"));
    assert_eq!((of("timed_out"), of("ok"), of("failed")), (of("sent"), 0, 0), "each of them hung");
    assert_eq!(result.pointer("/target/probes/health/latency_ms/max").and_then(Value::as_f64), Some(500.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_request_is_reported_and_not_repeated() {
    let (server, seen) = serve(REJECTS, CHECK_OK).await;
    let (code, said, result) = run(server, &["--path", "/nope", "--slo", "lost==0"]).await;
    assert_eq!(code, 3, "{said}");
    let text = result.pointer("/verdict/invalid_because/0").and_then(Value::as_str).unwrap();
    assert_eq!(text, "1 of 1 answered 404 at POST /nope: text/plain: no such page");
    assert_eq!((seen.streams.load(Relaxed), number(&result, "/target/streams/failed")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_all_fail_alike_get_one_reason() {
    let (server, _) = serve(FAILS, CHECK_OK).await;
    let (code, said, result) = run(server, &["--slo", "lost==0"]).await;
    assert_eq!(code, 1, "{said}");
    let asked_for = number(&result, "/target/streams/requested");
    assert!((8..=44).contains(&asked_for), "four streams for a second, with a pause after each: {asked_for}");
    let text = result.pointer("/verdict/warnings/0").and_then(Value::as_str).unwrap();
    assert_eq!(text, format!("{asked_for} of {asked_for} answered 500 at POST /chat/stream: sorry"));
    // No objective covers the streams, but a health check without load proves nothing.
    let (code, said, _) = run(server, &["--slo", "health.p99<10s"]).await;
    assert!(code == 3 && said.contains("no stream delivered anything"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_in_the_url_is_the_path_of_the_streams() {
    const BY_PATH: Script = |mut request| {
        Box::pin(async move {
            request.tokens(100, GAP).await;
        })
    };
    let (server, _) = serve(BY_PATH, CHECK_OK).await;
    let url = format!("http://{server}/v1/stream");
    let args = ["run", "--url", &url, "--concurrency", "2", "--ramp", "0s", "--duration", "500ms", "--baseline", "0s"];
    let probe = ["--probe", "health=/health"];
    let (code, said) = loadgen(&[&args[..], &probe].concat()).await;
    assert_eq!(code, 0, "{said}");
    let (code, said) = loadgen(&[&args[..], &["--path", "/other"]].concat()).await;
    assert!(code == 2 && said.contains(&format!("--url http://{server}")), "{said}");
    let (code, said) = loadgen(&["watch", "--url", &url]).await;
    assert!(code == 2 && said.contains(&format!("as http://{server}")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objective_means_the_probe_of_its_name() {
    const SLOW: Script = |mut request: Request| {
        Box::pin(async move {
            sleep(Duration::from_millis(80)).await;
            request.send(OK).await;
        })
    };
    let (server, _) = serve(GOOD, SLOW).await;
    // Not `health_sync`, which exists too.
    let both = ["--probe", "health=/x", "--probe", "health_sync=/y"];
    let (code, said, result) = run(server, &[&both[..], &["--slo", "health.p50>=60ms"]].concat()).await;
    assert_eq!(code, 0, "{said}");
    assert!(result.pointer("/verdict/claims/0/measured").and_then(Value::as_f64).unwrap() >= 80.0);
    let (code, said, _) = run(server, &["--probe", "web=/x", "--slo", "health.p50>=60ms"]).await;
    assert!(code == 2 && said.contains("there is no probe named health; the probes are web"), "{said}");
    let (code, said, _) = run(server, &["--probe", "web=/x", "--probe", "web=/y"]).await;
    assert!(code == 2 && said.contains("twice"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unwritable_result_is_found_before_the_run() {
    let (server, seen) = serve(GOOD, CHECK_OK).await;
    let url = format!("http://{server}");
    for command in [&["run", "--url", &url][..], &["verify", "--url", &url], &["demo"], &["labs", "--all"]] {
        let (code, said) = loadgen(&[command, &["--out", "/nonexistent/folder/a.json"]].concat()).await;
        assert!(code == 2 && said.contains("the folder /nonexistent/folder does not exist"), "{command:?}: {said}");
    }
    let (code, said) = loadgen(&["lab", "pool-exhaustion", "--html", "/nonexistent/a.html"]).await;
    assert!(code == 2 && said.contains("--html /nonexistent/a.html"), "{said}");
    assert_eq!((seen.streams.load(Relaxed), seen.checks.load(Relaxed)), (0, 0));
}
