//! The balancer in front of scripted backends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod running;
#[path = "../scripted/mod.rs"]
mod scripted;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use loadgen::balancer::BalancerSettings;
use process::{Launch, START_TIMEOUT, Signal};
use reqwest::Response;
use running::{Balancer, LIMIT, SHORT, client, echo};
use scripted::{EVENTS, FAILING, OK, Script, Seen, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const READY: Script = |mut request| Box::pin(async move { _ = request.send(OK).await });
const NOT_READY: Script = |mut request| Box::pin(async move { _ = request.send(FAILING).await });
/// A token, and then nothing.
const ONE_TOKEN: Script = |mut request| {
    Box::pin(async move {
        request.send(EVENTS).await;
        request.send("data: {\"content\":\"a\"}\n\n").await;
        request.hang().await;
    })
};
const SILENT: Script = |mut request| Box::pin(async move { request.hang().await });
const CLOSES: Script = |_| Box::pin(async {});
const BREAKS_OFF: Script = |mut request| {
    Box::pin(async move {
        request.send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nnot all").await;
    })
};

async fn wait_until_closed(seen: &Seen) {
    let began = Instant::now();
    while seen.open.load(Relaxed) > 0 {
        assert!(began.elapsed() < LIMIT, "the backend's request is still open");
        tokio::time::sleep(SHORT).await;
    }
}

async fn type_of_error(response: Response) -> String {
    let body: serde_json::Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let error = &body["error"];
    assert!(error["message"].is_string() && error["code"].is_null() && error["param"].is_null(), "{body}");
    error["type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn requests_go_round_and_leave_out_a_backend_that_is_not_ready() {
    let (first, second, out) = (serve(READY, READY).await, serve(READY, READY).await, serve(READY, NOT_READY).await);
    let balancer = Balancer::start(&[first.0, out.0, second.0], |_| {}).await;
    balancer.wait_for(|stats| stats.ready == 2).await;
    for _ in 0..6 {
        assert_eq!(balancer.post().await.text().await.unwrap(), "ok");
    }
    let got = [&first.1, &second.1, &out.1].map(|seen| seen.streams.load(Relaxed));
    assert!(got[0] >= 2 && got[1] >= 2 && got[2] == 0 && got[0] + got[1] == 6, "{got:?}");
    let stats = balancer.stats().await;
    assert_eq!((stats.requests, &stats.requests_by_status), (6, &[("200".to_owned(), 6)].into()));
    assert_eq!(stats.backends.iter().map(|backend| backend.ready).collect::<Vec<_>>(), [true, false, true]);
}

#[tokio::test]
async fn without_a_ready_backend_it_says_503_and_when_to_come_back() {
    let (addr, seen) = serve(READY, NOT_READY).await;
    let balancer = Balancer::start(&[addr], |settings| settings.readiness.failure_threshold = 3).await;
    let response = balancer.post().await;
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].as_bytes()), (503, &b"1"[..]));
    assert_eq!(type_of_error(response).await, "no_backend");
    let stats = balancer.stats().await;
    assert_eq!((stats.no_backend, stats.requests, stats.ready), (1, 1, 0));
    assert_eq!(stats.ready_over_time.len(), 1, "it never was ready");
    assert_eq!(seen.streams.load(Relaxed), 0);
}

#[tokio::test]
async fn a_backend_is_out_after_as_many_failures_as_the_threshold_says_and_back_after_one_success() {
    // Ready twice, then five failures, then ready.
    static PROBES: AtomicU64 = AtomicU64::new(0);
    let check: Script = |mut request| {
        let number = PROBES.fetch_add(1, Relaxed);
        let answer = if (2..7).contains(&number) { FAILING } else { OK };
        Box::pin(async move { _ = request.send(answer).await })
    };
    let (addr, _) = serve(READY, check).await;
    let balancer = Balancer::start(&[addr], |settings| settings.readiness.failure_threshold = 5).await;
    let stats = balancer.wait_for(|stats| stats.ready_over_time.len() == 4).await;
    let counts: Vec<_> = stats.ready_over_time.iter().map(|change| change.ready).collect();
    assert_eq!(counts, [0, 1, 0, 1]);
    assert!(PROBES.load(Relaxed) >= 8, "four failures would have been enough");
}

#[tokio::test]
async fn a_token_is_passed_on_while_the_stream_is_open_and_a_disconnect_too() {
    let (addr, seen) = serve(ONE_TOKEN, READY).await;
    let balancer = Balancer::with(&[addr]).await;
    let mut response = balancer.post().await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.chunk().await.unwrap().unwrap(), "data: {\"content\":\"a\"}\n\n");
    assert_eq!(seen.open.load(Relaxed), 1, "the backend is not done");
    drop(response);
    wait_until_closed(&seen).await;
    assert_eq!(balancer.wait_for(|stats| stats.disconnected > 0).await.disconnected, 1);
}

#[tokio::test]
async fn a_disconnect_before_the_answer_reaches_the_backend() {
    let (addr, seen) = serve(SILENT, READY).await;
    let balancer = Balancer::with(&[addr]).await;
    let post = client().post(&balancer.url).timeout(Duration::from_millis(300)).send();
    assert!(post.await.unwrap_err().is_timeout());
    assert_eq!(seen.streams.load(Relaxed), 1);
    wait_until_closed(&seen).await;
    balancer.wait_for(|stats| stats.disconnected == 1).await;
}

#[tokio::test]
async fn a_backend_that_fails_is_a_502_by_cause() {
    let (addr, seen) = serve(CLOSES, READY).await;
    let balancer = Balancer::with(&[addr]).await;
    let response = balancer.post().await;
    assert_eq!(response.status(), 502);
    assert_eq!(type_of_error(response).await, "bad_gateway");
    assert_eq!(balancer.stats().await.bad_gateway, [("closed before an answer".to_owned(), 1)].into());
    assert_eq!(seen.streams.load(Relaxed), 1, "it is not sent again");

    // One that is gone between two probes.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = listener.local_addr().unwrap();
    let balancer = Balancer::start(&[gone], |settings| settings.readiness.period = LIMIT).await;
    let mut probe = listener.accept().await.unwrap().0;
    let _ = probe.read(&mut [0; 1024]).await.unwrap();
    probe.write_all(OK.as_bytes()).await.unwrap();
    drop((probe, listener));
    balancer.wait_for(|stats| stats.ready == 1).await;
    assert_eq!(balancer.post().await.status(), 502);
    assert_eq!(balancer.stats().await.bad_gateway, [("connection refused".to_owned(), 1)].into());
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_client_too() {
    let (addr, _) = serve(BREAKS_OFF, READY).await;
    let balancer = Balancer::with(&[addr]).await;
    let response = balancer.post().await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    let stats = balancer.stats().await;
    assert_eq!((stats.broken_off, stats.disconnected), (1, 0));
}

#[tokio::test]
async fn silence_is_cut_if_it_must_be() {
    let (before, _) = serve(SILENT, READY).await;
    let (after, seen) = serve(ONE_TOKEN, READY).await;
    for (addr, status) in [(before, 504), (after, 200)] {
        let silence = |settings: &mut BalancerSettings| settings.silence_timeout = Some(Duration::from_millis(200));
        let balancer = Balancer::start(&[addr], silence).await;
        balancer.wait_for(|stats| stats.ready == 1).await;
        let response = balancer.post().await;
        assert_eq!(response.status(), status);
        if status == 504 {
            assert_eq!(type_of_error(response).await, "gateway_timeout");
        } else {
            assert!(response.bytes().await.is_err());
        }
        let stats = balancer.stats().await;
        assert_eq!((stats.silent, stats.cut), (u64::from(status == 504), u64::from(status == 200)));
    }
    wait_until_closed(&seen).await;
}

#[tokio::test]
async fn headers_pass_except_those_about_one_connection() {
    let (addr, _) = echo().await;
    let balancer = Balancer::with(&[addr]).await;
    let post = client().post(format!("{}/llm?a=b", balancer.url)).header("x-request-id", "the-clients");
    let post = post.header("connection", "x-private").header("x-private", "1").header("te", "trailers");
    let response = post.send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "the-answers");
    assert!(!response.headers().contains_key("keep-alive"));
    let sent = response.text().await.unwrap();
    assert!(sent.starts_with("POST /llm?a=b HTTP/1.1\r\n") && sent.contains("x-request-id: the-clients"), "{sent}");
    assert!(!sent.contains("x-private") && !sent.contains("trailers"), "{sent}");
}

#[tokio::test]
async fn connections_are_reused_for_as_long_as_they_may_be_idle() {
    const SOON: Duration = Duration::from_millis(100);
    for (idle_timeout, pause, expected) in
        [(Some(LIMIT), Duration::ZERO, 1), (Some(SOON), 4 * SOON, 3), (None, Duration::ZERO, 3)]
    {
        let (addr, connections) = echo().await;
        let balancer = Balancer::start(&[addr], |settings| settings.idle_timeout = idle_timeout).await;
        balancer.wait_for(|stats| stats.ready == 1).await;
        for _ in 0..3 {
            assert!(!balancer.post().await.bytes().await.unwrap().is_empty());
            tokio::time::sleep(pause).await;
        }
        assert_eq!(connections.load(Relaxed), expected, "{idle_timeout:?}");
        assert_eq!(balancer.stats().await.connections, expected, "{idle_timeout:?}");
    }
}

#[tokio::test]
async fn the_program_balances_until_a_signal() {
    let (addr, _) = serve(READY, READY).await;
    let backend = format!("http://{addr}");
    let launch =
        Launch::new(env!("CARGO_BIN_EXE_loadgen")).args(["balancer", "--backend", &backend, "--period", "20ms"]);
    let program = launch.on_free_port().start(START_TIMEOUT).await.unwrap();
    let began = Instant::now();
    while client().post(program.url()).send().await.unwrap().status() != 200 {
        assert!(began.elapsed() < LIMIT);
        tokio::time::sleep(SHORT).await;
    }
    program.signal(Signal::Term).unwrap();
    assert_eq!(program.wait(LIMIT).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_bad_backend_and_an_address_in_use_are_clear_errors() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (args, code, said) in [
        (["--backend", "http://192.0.2.1:80", "--listen", "127.0.0.1:0"], 2, "not on this machine"),
        (["--backend", "http://127.0.0.1:1/path", "--listen", "127.0.0.1:0"], 2, "has the path"),
        (["--backend", "http://127.0.0.1:1", "--listen", &taken], 3, taken.as_str()),
    ] {
        let output = Launch::new(env!("CARGO_BIN_EXE_loadgen")).args([&["balancer"], &args[..]].concat());
        let output = output.output(LIMIT).await.unwrap();
        assert_eq!(output.code(), Some(code), "{}", output.stderr);
        assert!(output.stderr.contains(said), "{}", output.stderr);
    }
}
