//! `verify` and the rule of the original script on the same servers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::future::join;
use process::{Launch, START_TIMEOUT, ServerProcess};
use tokio::time::sleep;

use crate::result_schema::ResultSchema;
use crate::scripted::{CHECK_OK, EVENTS, HANGS, OK, Script, loadgen, loadgen_counted, serve};

async fn start(name: &str, args: &[&str]) -> ServerProcess {
    let program = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name(name);
    Launch::new(program).on_free_port().args(args.iter().copied()).start(START_TIMEOUT).await.unwrap()
}

/// The exit code and the output of `verify` with small numbers.
async fn verify(server: SocketAddr, more: &[&str]) -> (i32, String) {
    let url = format!("http://{server}");
    loadgen(&arguments(&url, more)).await
}

fn arguments<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["verify", "--url", url, "--interval", "250ms", "--timeout", "1s"];
    for (flag, value) in [("--streams", "8"), ("--checks", "4")] {
        if !more.contains(&flag) {
            args.extend([flag, value]);
        }
    }
    args.extend(more);
    args
}

const AS_IN_SOURCE: &[&str] = &["--as-in-source"];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_every_stream_passes_only_the_script() {
    // Nothing listens on port 1.
    const ARGS: &[&str] = &["--mistake", "none", "--upstream", "http://127.0.0.1:1"];
    let (one, other) = join(start("broken-server", ARGS), start("broken-server", ARGS)).await;
    let ((code, said), (honest_code, honest)) = join(verify(one.addr(), AS_IN_SOURCE), verify(other.addr(), &[])).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(honest_code, 1, "{honest}");
    let said = honest;
    assert!(said.contains("lost==0") && said.contains("status 502"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_rules_pass_a_good_server_and_fail_an_exhausted_one() {
    let vendor = start("mock-llm", &["--tokens", "60", "--ttft", "50ms", "--inter-token", "50ms"]).await;
    let upstream = format!("http://{}", vendor.addr());
    let good = start("fixed-server", &["--upstream", &upstream]).await;
    let exhausted = ["--mistake", "pool-exhaustion", "--blocking-threads", "8", "--upstream", &upstream];
    let exhausted = start("broken-server", &exhausted).await;
    for (file, rule) in [("verify.json", &[][..]), ("as-in-source.json", AS_IN_SOURCE)] {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
        let written = [rule, &["--out", out.to_str().unwrap()]].concat();
        let of_both = join(verify(good.addr(), &written), verify(exhausted.addr(), rule)).await;
        for ((code, said), expected) in [(of_both.0, 0), (of_both.1, 1)] {
            assert_eq!(code, expected, "{rule:?}: {said}");
            // Only what is slow needs a reason.
            let hint = "Why?  loadgen diagnose --url http://127.0.0.1:";
            assert_eq!(said.contains(hint), expected == 1, "{rule:?}: {said}");
        }
        ResultSchema::new().refuses_changes(&serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap());
    }
}

const GAP: Duration = Duration::from_millis(20);
const GOOD: Script = |mut request| Box::pin(async move { _ = request.tokens(1_000, GAP).await });

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_slows_down_with_streams_fails() {
    // As FastAPI with a sync generator: 2.6 ms when idle, 61 ms with 40 streams.
    const A_THREAD_A_CHUNK: Script = |mut request| {
        Box::pin(async move {
            sleep(Duration::from_micros(2_600 + 1_460 * request.seen.open.load(Relaxed))).await;
            request.send(OK).await;
        })
    };
    let (server, seen) = serve(GOOD, A_THREAD_A_CHUNK).await;
    let (code, said) = verify(server, &["--streams", "40"]).await;
    assert_eq!(code, 1, "{said}");
    let line =
        |claim: &str| said.lines().find(|line| line.contains(claim)).unwrap_or_else(|| panic!("{claim}: {said}"));
    assert!(line("40 streams: health_sync.max<100ms").contains("yes"), "the source's limit passes it: {said}");
    assert!(line("40 streams: median close to idle").contains("NO"), "{said}");
    assert!(line("80 streams: health_sync.max<100ms").contains("NO"), "{said}");
    assert_eq!(seen.most_open.load(Relaxed), 80);
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_points_to_diagnose_only_if_a_check_hangs() {
    let ((hanging, _), (good, _)) = join(serve(GOOD, HANGS), serve(GOOD, CHECK_OK)).await;
    let watch = |server: SocketAddr| async move {
        let url = format!("http://{server}");
        let args = ["watch", "--url", &url, "--probe", "health=/health", "--duration", "2s"];
        let (code, said) = loadgen(&args).await;
        assert_eq!(code, 0, "{said}");
        said
    };
    let (of_hanging, of_good) = join(watch(hanging), watch(good)).await;
    let hint = format!("  Why?  loadgen diagnose --url http://{hanging} --health-path /health");
    assert!(of_hanging.trim_end().ends_with(&hint), "{of_hanging}");
    assert!(!of_good.contains("diagnose"), "{of_good}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_streams_are_lost() {
    const SILENT_AFTER_THREE: Script = |mut request| {
        Box::pin(async move {
            request.tokens(3, GAP).await;
            request.hang().await;
        })
    };
    let ((silent, _), (good, _)) = join(serve(SILENT_AFTER_THREE, CHECK_OK), serve(GOOD, CHECK_OK)).await;
    let (of_silent, of_good) = join(verify(silent, &[]), verify(good, &[])).await;
    let (code, said) = of_silent;
    assert!(code == 1 && said.lines().any(|line| line.contains("NO") && line.contains("lost==0")), "{said}");
    assert_eq!(of_good.0, 0, "the same server with streams that flow: {}", of_good.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_at_once_gets_few_requests() {
    const ALL_AT_ONCE: Script =
        |mut request| Box::pin(async move { _ = request.send(format!("{EVENTS}data: a\n\ndata: [DONE]\n\n")).await });
    const A_PAGE: Script = |mut request| {
        Box::pin(async move {
            let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
            request.send(page).await;
        })
    };
    let no_stream = "answered without an event stream at POST /chat/stream (if it does not stream: \
                     run --whole-answers; if its streams have no such media type: run --format): \
                     text/html: <html></html>";
    for (stream, expected, expected_text) in [(ALL_AT_ONCE, 3, "the pressure was missing"), (A_PAGE, 1, no_stream)] {
        let (server, seen) = serve(stream, CHECK_OK).await;
        let url = format!("http://{server}");
        let (code, said, tries) = loadgen_counted(&arguments(&url, &["--streams", "20"])).await;
        let in_one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == expected && in_one_line.contains(expected_text), "{code}: {said}");
        // Three stages of 0.5, 1 and 0.5 s with 10, 20 and 40 virtual users, each with at most four streams per second.
        let asked = seen.streams.load(Relaxed) / tries;
        assert!((30..=400).contains(&asked), "{asked} requests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_reject_more_streams_than_asked() {
    const AT_MOST_EIGHT: Script = |mut request| {
        Box::pin(async move {
            if request.seen.open.load(Relaxed) > 8 {
                request.send("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n").await;
            } else {
                request.tokens(1_000, GAP).await;
            }
        })
    };
    let ((one, _), (other, _)) = join(serve(AT_MOST_EIGHT, CHECK_OK), serve(AT_MOST_EIGHT, CHECK_OK)).await;
    let ((code, said), of_fewer) = join(verify(one, &[]), verify(other, &["--streams", "12"])).await;
    assert!(code == 0 && said.contains("rejected with 429"), "{said}");
    assert_eq!(of_fewer.0, 1, "{}", of_fewer.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_per_chunk_does_not_pass() {
    let vendor = start("mock-llm", &[]).await;
    let upstream = format!("http://{}", vendor.addr());
    let per_chunk = start("broken-server", &["--mistake", "pool-per-chunk", "--upstream", &upstream]).await;
    let control = start("broken-server", &["--mistake", "none", "--upstream", &upstream]).await;
    let more = ["--streams", "40", "--checks", "15"];
    let of_both = join(verify(per_chunk.addr(), &more), verify(control.addr(), &more)).await;
    for ((code, said), expected) in [(of_both.0, 1), (of_both.1, 0)] {
        assert_eq!(code, expected, "{said}");
    }
}
