//! What clients do with their answers, and what is counted of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::scripted::{CHECK_OK, EVENTS, FAILS, HANGS, Script, serve};
use loadgen::http::Endpoint;
use loadgen::measure::{LagLog, StreamLog};
use loadgen::result::StreamStats;
use loadgen::traffic::{Client, Exchange, ExpectedAnswer, LoadPlan, Request, RunningLoad, Schedule, Step};
use mock_llm::MockLlm;
use tokio::time::sleep;

const LONG: Duration = Duration::from_secs(20);

fn start(addr: SocketAddr, request: Request, client: Client, schedule: Schedule) -> (RunningLoad, Arc<StreamLog>) {
    let log = Arc::new(StreamLog::default());
    let exchange = Exchange { client, timeout: LONG, ..Exchange::new(Endpoint::at(addr), request) };
    (RunningLoad::start(LoadPlan::new(exchange, schedule), log.clone(), Arc::new(LagLog::default())), log)
}

/// The figures of a load that ends by itself.
async fn figures(addr: SocketAddr, request: Request, client: Client, schedule: Schedule) -> StreamStats {
    let (load, log) = start(addr, request, client, schedule);
    load.wait(LONG).await;
    assert!(load.has_ended());
    log.stats(Duration::from_secs(1))
}

#[tokio::test]
async fn a_load_with_a_delay_begins_that_much_later() {
    const DELAY: Duration = Duration::from_millis(300);
    let (addr, _) = serve(CHECK_OK, CHECK_OK).await;
    let step = Step::new("only", Request::get("/"));
    for schedule in
        [Schedule::at_once(1), Schedule::rate(1000.0), Schedule::concurrency(1), Schedule::Sequence(vec![step])]
    {
        let (begun, log) = (Instant::now(), Arc::new(StreamLog::default()));
        let exchange = Exchange::new(Endpoint::at(addr), Request::get("/"));
        let plan = LoadPlan { delay: DELAY, ..LoadPlan::new(exchange, schedule.clone()) };
        let load = RunningLoad::start(plan, log.clone(), Arc::new(LagLog::default()));
        while log.stats(Duration::from_secs(1)).requested == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        assert!(begun.elapsed() >= DELAY, "{schedule}: {:?}", begun.elapsed());
        load.stop();
        load.disconnect().await;
    }
}

/// Waits until a counter no longer rises, and returns it.
async fn at_rest(counter: &AtomicU64) -> u64 {
    let deadline = Instant::now() + LONG;
    loop {
        let before = counter.load(Relaxed);
        sleep(Duration::from_millis(300)).await;
        if counter.load(Relaxed) == before && before > 0 {
            return before;
        }
        assert!(Instant::now() < deadline, "still rising: {before}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_blocks_the_server() {
    /// Bytes that the system has accepted from the server.
    static ACCEPTED: AtomicU64 = AtomicU64::new(0);
    static ENDED: AtomicU64 = AtomicU64::new(0);
    /// More than all buffers on the way hold.
    const PIECES: u32 = 1_000;
    const FLOOD: Script = |mut request| {
        Box::pin(async move {
            request.tokens(3, Duration::from_millis(50)).await;
            let piece = format!("data: {{\"content\":\"{}\"}}\n\n", "x".repeat(64 * 1024));
            for _ in 0..PIECES {
                if !request.send(&piece).await {
                    break;
                }
                ACCEPTED.fetch_add(piece.len() as u64, Relaxed);
            }
            ENDED.fetch_add(1, Relaxed);
        })
    };
    let (addr, _) = serve(FLOOD, CHECK_OK).await;
    let client = Client::default().stops_reading_after(3);
    let (load, log) = start(addr, Request::chat(), client, Schedule::at_once(1));
    let accepted = at_rest(&ACCEPTED).await;
    assert_eq!((ENDED.load(Relaxed), log.active()), (0, 1), "the server is blocked, on an open connection");
    assert!(accepted < u64::from(PIECES) * 32 * 1024, "{accepted} bytes");
    load.disconnect().await;
    let stats = log.stats(Duration::from_secs(1));
    assert_eq!((stats.requested, stats.disconnected, stats.stopped_reading, stats.stalled), (1, 1, 1, 0));
    assert!(stats.bytes < 64 * 1024, "{} bytes read", stats.bytes);
    let read = figures(addr, Request::chat(), Client::default(), Schedule::at_once(1)).await;
    assert!(read.bytes > u64::from(PIECES) * 64 * 1024 && read.stopped_reading == 0, "the same, read: {read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_takes_its_time() {
    const BODY: Script = |mut request| {
        Box::pin(async move {
            request.send(EVENTS).await;
            let event = format!("data: {{\"content\":\"{}\"}}\n\n", "x".repeat(1_000));
            request.send(event.repeat(40) + "data: [DONE]\n\n").await;
        })
    };
    let (addr, _) = serve(BODY, CHECK_OK).await;
    let slow = figures(addr, Request::chat(), Client::default().reads_slowly(50_000), Schedule::at_once(2)).await;
    assert_eq!((slow.completed, slow.chunks), (2, 80));
    // The last piece, of at most a buffer, costs nothing.
    assert!(slow.latency_ms.p50 > 500.0, "40 kB at 50 kB/s: {slow:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_connection_is_taken_for_completion() {
    const CUT: Script = |mut request| Box::pin(async move { _ = request.tokens(3, Duration::ZERO).await });
    const WHOLE: Script = |mut request| {
        Box::pin(async move {
            request.tokens(4, Duration::ZERO).await;
            request.send("data: [DONE]\n\n").await;
        })
    };
    let (cut, _) = serve(CUT, CHECK_OK).await;
    let strict = figures(cut, Request::chat(), Client::default(), Schedule::at_once(2)).await;
    assert_eq!((strict.truncated, strict.completed, strict.taken_as_complete), (2, 0, 0));
    let client = Client::default().accepts_eof().keeps_text();
    let naive = figures(cut, Request::chat(), client, Schedule::at_once(2)).await;
    assert_eq!((naive.truncated, naive.completed, naive.taken_as_complete), (0, 2, 2));
    let (addr, _) = serve(WHOLE, CHECK_OK).await;
    let whole = figures(addr, Request::chat(), client, Schedule::at_once(3)).await;
    assert_eq!((whole.completed, whole.taken_as_complete), (3, 0));
    assert_eq!((naive.texts.len(), naive.texts_as_in(&whole), whole.texts_as_in(&whole)), (1, 0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_those_of_the_vendor() {
    let vendor =
        |seed| MockLlm::builder().tokens(50).ttft(Duration::ZERO).inter_token(Duration::ZERO).seed(seed).start();
    let (one, other) = (vendor(1).await.unwrap(), vendor(2).await.unwrap());
    let text = |addr, request| figures(addr, request, Client::default().keeps_text(), Schedule::at_once(3));
    let streamed = text(one.addr(), Request::completion_stream()).await;
    assert_eq!(streamed.texts.values().collect::<Vec<_>>(), [&3]);
    let whole = text(one.addr(), Request::completion()).await;
    assert_eq!(whole.texts_as_in(&streamed), 3, "streamed or not");
    assert_eq!((streamed.tokens, whole.tokens, whole.chunks), (150, 150, 3));
    assert_eq!(text(other.addr(), Request::completion_stream()).await.texts_as_in(&streamed), 0);
    let not_kept = figures(one.addr(), Request::completion(), Client::default(), Schedule::at_once(3)).await;
    assert!(not_kept.texts.is_empty() && not_kept.completed == 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejections_have_latency_type_and_retry_after() {
    const REJECT: Script = |mut request| {
        Box::pin(async move {
            let body = r#"{"error":{"message":"full","type":"overloaded","code":null,"param":null}}"#;
            let length = body.len();
            let head = format!(
                "HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            request.send(head).await;
            // The latency is that of the complete answer.
            sleep(Duration::from_millis(100)).await;
            request.send(body).await;
        })
    };
    const FAIL_LATER: Script = |mut request| {
        Box::pin(async move {
            request.tokens(1, Duration::ZERO).await;
            request.send("event: error\ndata: {\"error\":{\"message\":\"\",\"type\":\"upstream_failure\",\"code\":\"idle_timeout\"}}\n\n").await;
        })
    };
    let (addr, _) = serve(REJECT, CHECK_OK).await;
    let rejected = figures(addr, Request::whole(), Client::default(), Schedule::at_once(4)).await;
    assert_eq!((rejected.failed, rejected.by_status.get("429"), rejected.with_retry_after), (4, Some(&4), 4));
    assert_eq!((rejected.errors_by_type.get("overloaded"), rejected.errors_by_code.len()), (Some(&4), 0));
    assert_eq!(rejected.retry_after_ms.p50, 2_000.0);
    assert!(rejected.rejection_latency_ms.p50 >= 100.0 && rejected.latency_ms.max == 0.0, "{rejected:?}");
    let (addr, _) = serve(FAIL_LATER, CHECK_OK).await;
    let failed = figures(addr, Request::chat(), Client::default(), Schedule::at_once(3)).await;
    assert_eq!((failed.failed, failed.errors_by_type.get("upstream_failure")), (3, Some(&3)));
    assert_eq!((failed.errors_by_code.get("idle_timeout"), failed.with_retry_after), (Some(&3), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_has_a_row_for_each_step() {
    let vendor = MockLlm::builder().ttft(Duration::from_millis(30)).inter_token(Duration::ZERO).start().await.unwrap();
    let step = |name, request| Step::new(name, request);
    let steps = vec![
        step("ten", Request::completion().tokens(10)),
        step("down", Request::completion().fault("status=503")),
        step("streamed", Request::completion_stream().tokens(20)),
        step("forty", Request::completion().tokens(40)),
    ];
    let stats = figures(vendor.addr(), Request::completion(), Client::default(), Schedule::Sequence(steps)).await;
    let rows: Vec<_> = stats.steps.iter().map(|row| (row.name.as_str(), row.status, row.failure.as_deref())).collect();
    let expected =
        [("ten", 200, None), ("down", 503, Some("status 503")), ("streamed", 200, None), ("forty", 200, None)];
    assert_eq!(rows, expected.map(|(name, status, failure)| (name, Some(status), failure)));
    assert_eq!((stats.requested, stats.completed, stats.peak_active), (4, 3, 1), "one after another");
    let tokens: Vec<_> = stats.steps.iter().map(|row| row.tokens).collect();
    // The prompt is one token. A stream has no usage unless that is requested.
    assert!(tokens[0] > Some(10) && tokens[3] == tokens[0].map(|tokens| tokens + 30), "{tokens:?}");
    assert_eq!((tokens[1], tokens[2], stats.tokens), (None, None, 10 + 20 + 40));
    assert!(stats.steps[0].duration_ms >= 30.0, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_disconnect_at_their_time() {
    let (addr, seen) = serve(HANGS, CHECK_OK).await;
    let client = Client::default().disconnects_after(Duration::from_millis(200));
    let stats = figures(addr, Request::whole(), client, Schedule::at_once(5)).await;
    assert_eq!((stats.requested, stats.disconnected, stats.failed, stats.without_token), (5, 5, 0, 5));
    let deadline = Instant::now() + LONG;
    while seen.open.load(Relaxed) > 0 {
        assert!(Instant::now() < deadline, "the server still has connections");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn virtual_users_pause_after_a_failure() {
    let (addr, _) = serve(FAILS, CHECK_OK).await;
    let request = Request::post("/x", "{}", ExpectedAnswer::Whole);
    let (load, log) = start(addr, request, Client::default(), Schedule::concurrency(2));
    sleep(Duration::from_secs(1)).await;
    load.stop();
    load.wait(LONG).await;
    let stats = log.stats(Duration::from_secs(1));
    assert!((2..=22).contains(&stats.requested), "{} requests of 2 users in 1 s", stats.requested);
    assert_eq!((stats.failed, stats.failures.get("status 500")), (stats.requested, Some(&stats.requested)));
}
