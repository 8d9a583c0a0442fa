//! Servers that never stop sending do not fill the memory, in streams or checks of any command.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod scripted;

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use process::Launch;
use scripted::{CHECK_OK, EVENTS, Script, serve};

/// Far over what the generator needs and far below what it is sent.
const RESIDENT_BYTES_MAX: u64 = 150_000_000;
const SENT_BYTES_MIN: u64 = 300_000_000;
/// Commands at the same time: more would get little each, because reading what never ends keeps a processor busy.
const AT_ONCE: usize = 3;

/// Sends `head`, then the same piece until the client disconnects.
macro_rules! endless {
    ($head:expr, $piece:expr) => {
        |mut request| {
            Box::pin(async move {
                let piece = $piece.repeat(64 * 1024 / $piece.len());
                let mut going = request.send($head).await;
                while going {
                    going = request.send(&piece).await;
                }
            })
        }
    };
}

const ANY: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
const NOT_FOUND: &str = "HTTP/1.1 500 Sorry\r\nconnection: close\r\n\r\n";
const ENDLESS_ANSWER: Script = endless!(ANY, "x");
const ENDLESS_REFUSAL: Script = endless!(NOT_FOUND, "x");
const ENDLESS_TOKENS: Script = endless!(EVENTS, "data: {\"content\":\"a\"}\n\n");
const ENDLESS_COMMENT: Script = endless!(EVENTS, ": nothing\n\n");
const ENDLESS_EVENT: Script = endless!(EVENTS, "data: nothing that ends\n");
/// Good at first, so that the run starts.
const ENDLESS_UNDER_LOAD: Script = |request| {
    if request.seen.checks.load(Relaxed) > 4 { (ENDLESS_ANSWER)(request) } else { (CHECK_OK)(request) }
};

/// Runs the generator and returns its peak memory.
async fn resident_bytes(args: &[&str]) -> u64 {
    let launch = Launch::new(env!("CARGO_BIN_EXE_loadgen")).args(args.iter().copied()).empty_stdin();
    let (running, mut most) = (launch.spawn().unwrap(), 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while running.status().is_none() {
        assert!(Instant::now() < deadline, "{args:?} does not end");
        most = most.max(running.usage().map_or(0, |usage| usage.rss_bytes));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_answers_do_not_fill_the_memory() {
    let run = ["--concurrency", "10", "--ramp", "100ms", "--duration", "1500ms", "--baseline", "0s"];
    let run = [&run[..], &["--probe", "health=/health", "--probe-timeout", "1s"]].concat();
    let verify = ["--streams", "10", "--checks", "3", "--interval", "300ms", "--timeout", "1s"];
    let as_in_source = [&verify[..], &["--as-in-source"]].concat();
    let diagnose = ["--budget", "6s", "--max-streams", "2"];
    let cases = [
        ("an answer", "run", &run[..], ENDLESS_ANSWER, CHECK_OK),
        ("a refusal", "run", &run, ENDLESS_REFUSAL, CHECK_OK),
        ("tokens", "run", &run, ENDLESS_TOKENS, CHECK_OK),
        ("comments", "run", &run, ENDLESS_COMMENT, CHECK_OK),
        ("an event", "run", &run, ENDLESS_EVENT, CHECK_OK),
        ("checks of run", "run", &run, ENDLESS_TOKENS, ENDLESS_UNDER_LOAD),
        ("checks of verify", "verify", &verify, ENDLESS_TOKENS, ENDLESS_UNDER_LOAD),
        ("checks in a row", "verify", &as_in_source, ENDLESS_TOKENS, ENDLESS_UNDER_LOAD),
        ("streams of diagnose", "diagnose", &diagnose, ENDLESS_TOKENS, CHECK_OK),
        ("checks of watch", "watch", &["--duration", "3s"], CHECK_OK, ENDLESS_UNDER_LOAD),
    ];
    let runs = cases.map(|(name, command, more, answer, check)| async move {
        let (server, seen) = serve(answer, check).await;
        let url = format!("http://{server}");
        let held = resident_bytes(&[&[command, "--url", &url], more].concat()).await;
        let sent = seen.bytes.load(Relaxed);
        eprintln!("{name}: {} MB sent, {} MB held", sent / 1_000_000, held / 1_000_000);
        assert!(held < RESIDENT_BYTES_MAX, "{name}: {held} bytes held");
        sent
    });
    let sent: u64 = stream::iter(runs).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.into_iter().sum();
    assert!(sent > SENT_BYTES_MIN, "the servers sent too little for that to say anything: {sent} bytes");
}
