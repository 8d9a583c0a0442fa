//! Servers that end, start again or never recover, and people who stop waiting. Nothing is left open, no conclusion is
//! drawn from a server that is gone, and the budget holds.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use loadgen::diagnose::DiagnoseOptions;
use loadgen::result::{Confidence, Diagnosis, DiagnosisKind, ResultFile, read};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

use super::{CHECK, GOOD, TIMEOUT, diagnosed, launch, options};
use crate::scripted::{FAILING, OK, Script, Seen, serve, serve_on, until};

/// A server with a runtime of its own: dropped, all of its sockets are closed, as those of a process that ends.
struct Mortal(Option<Runtime>);

impl Mortal {
    async fn start(addr: SocketAddr) -> (Self, SocketAddr, Arc<Seen>) {
        let started = spawn_blocking(move || {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let (addr, seen) = runtime.block_on(async move {
                let listener = TcpListener::bind(addr).await.unwrap();
                serve_on(listener, GOOD, CHECK)
            });
            (Mortal(Some(runtime)), addr, seen)
        });
        started.await.unwrap()
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

fn assert_no_conclusion(found: &Diagnosis) {
    assert_eq!((found.kind, found.confidence), (DiagnosisKind::Inconclusive, Confidence::Low), "{found:?}");
    assert_eq!((found.limit, found.streams_at_collapse), (None, None), "{found:?}");
    assert!(found.evidence[0].contains("with 4 streams, connections were refused"), "{:?}", found.evidence);
}

const ANY_PORT: &str = "127.0.0.1:0";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_is_no_server_with_a_limit() {
    let (mortal, addr, seen) = Mortal::start(ANY_PORT.parse().unwrap()).await;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("diagnose-ends-{}.json", addr.port()));
    let url = format!("http://{addr}");
    let args = ["--url", &url, "--max-streams", "16", "--budget", "16s", "--out", file.to_str().unwrap()];
    let ends = async {
        // With the fourth stream the third step has begun.
        until("four streams are open", async || seen.most_open.load(Relaxed) >= 4).await;
        drop(mortal);
    };
    let began = Instant::now();
    // Not repeated on a busy machine: the server is there once.
    let (output, ()) = tokio::join!(launch(&args).output(TIMEOUT), ends);
    let output = output.unwrap();
    let said = format!("{}{}", output.stdout, output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(began.elapsed() < Duration::from_secs(18), "{:?}", began.elapsed());
    let Ok(ResultFile::Run(result)) = read(&file) else { panic!("{said}") };
    std::fs::remove_file(&file).unwrap();
    let found = result.diagnosis.unwrap();
    assert_no_conclusion(&found);
    assert_eq!(found.recovered_after_s, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_again_is_no_server_with_a_limit_and_recovers() {
    let (mortal, addr, _) = Mortal::start(ANY_PORT.parse().unwrap()).await;
    let mut mortal = Some(mortal);
    let (end, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let again = tokio::spawn(async move {
        ended.recv().await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        Mortal::start(addr).await
    });
    let options = options(addr);
    let found = diagnosed(&options, |streams| {
        if streams == 2 {
            mortal = None;
            end.send(()).unwrap();
        }
    });
    let found = found.await.unwrap();
    assert_no_conclusion(&found);
    assert!(found.recovered_after_s.is_some(), "{found:?}");
    drop(again.await.unwrap());
}

/// Whether the server of this test has had enough.
static FULL: AtomicBool = AtomicBool::new(false);
/// Answers nothing any more after the fourth stream at once.
const HANGS_FOR_EVER: Script = |mut request| {
    Box::pin(async move {
        if request.path == "/chat/stream" && request.seen.open.load(Relaxed) >= 4 {
            FULL.store(true, Relaxed);
        }
        if FULL.load(Relaxed) {
            return request.hang().await;
        }
        match &*request.path {
            "/chat/stream" => _ = request.tokens(50, Duration::from_millis(20)).await,
            _ => _ = request.send(OK).await,
        }
    })
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_recovers_is_said_to_within_the_budget() {
    let (server, seen) = serve(HANGS_FOR_EVER, HANGS_FOR_EVER).await;
    let (began, options) = (Instant::now(), options(server));
    let found = diagnosed(&options, |_| {}).await.unwrap();
    let took = began.elapsed();
    assert!(found.levels.iter().any(|level| level.waiting > 0), "{found:?}");
    assert_eq!(found.recovered_after_s, None);
    assert!(took < options.budget + Duration::from_secs(1), "{took:?}");
    assert_all_closed(&seen).await;
}

async fn assert_all_closed(seen: &Arc<Seen>) {
    until("all streams are closed", async || seen.open.load(Relaxed) == 0).await;
}

/// The streams that are looked at before the load, and those of its first step.
const GOOD_FIRST: u64 = 4;
/// Rejects at once what comes later.
const REJECTS_THEN: Script = |mut request| {
    Box::pin(async move {
        if request.seen.streams.load(Relaxed) > GOOD_FIRST {
            request.send(FAILING).await;
        } else {
            request.tokens(50, Duration::from_millis(20)).await;
        }
    })
};
/// Ends at once what comes later.
const ENDS_THEN: Script = |mut request| {
    Box::pin(async move {
        let tokens = if request.seen.streams.load(Relaxed) > GOOD_FIRST { 1 } else { 50 };
        request.tokens(tokens, Duration::from_millis(20)).await;
    })
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_rejects_or_ends_streams_at_once_gets_no_flood() {
    let asked = [(REJECTS_THEN, 2), (ENDS_THEN, 4)].map(|(stream, per_second)| async move {
        let (server, seen) = serve(stream, CHECK).await;
        let (began, options) = (Instant::now(), options(server));
        let found = diagnosed(&options, |_| {}).await.unwrap();
        let most = found.levels.iter().map(|level| level.streams).max().unwrap_or_default();
        let allowed = GOOD_FIRST + most + (most * per_second) * began.elapsed().as_secs();
        (seen.streams.load(Relaxed), allowed, found)
    });
    for (asked, allowed, found) in futures_util::future::join_all(asked).await {
        assert!(asked <= allowed, "{asked} requests: {found:?}");
        assert!(!found.levels.is_empty(), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_too_short_is_no_finding() {
    let (server, seen) = serve(GOOD, CHECK).await;
    for budget in [Duration::from_millis(300), Duration::from_secs(6)] {
        let began = Instant::now();
        let found = diagnosed(&DiagnoseOptions { budget, ..options(server) }, |_| {}).await;
        match &found {
            Err(error) => assert!(error.to_string().contains("--budget"), "{error}"),
            Ok(found) => {
                assert_eq!(found.kind, DiagnosisKind::Inconclusive, "{found:?}");
                assert!(found.surer_with.as_ref().is_some_and(|surer| surer.contains("--budget")), "{found:?}");
            }
        }
        assert!(began.elapsed() < budget + Duration::from_secs(1), "{budget:?}: {:?}", began.elapsed());
    }
    assert_all_closed(&seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_closes_the_streams_and_says_what_was_seen() {
    let (server, seen) = serve(GOOD, CHECK).await;
    let url = format!("http://{server}");
    let launch = launch(&["--url", &url]).stdout_with_stderr().keep_lines(1_000);
    let running = launch.spawn().unwrap();
    let is_loaded = async || {
        assert!(running.status().is_none(), "{:?}", running.log());
        seen.most_open.load(Relaxed) >= 5
    };
    until("five streams are open", is_loaded).await;
    running.signal(process::Signal::Int).unwrap();
    let status = running.wait(TIMEOUT).await.unwrap();
    let said = running.log().join("\n");
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("Stopped. Last seen: of 4 streams"), "{said}");
    assert_all_closed(&seen).await;
}
