//! The generator's counts of streams compared with the vendor's ledger.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use loadgen::http::Endpoint;
use loadgen::measure::{LagLog, StreamEnd, StreamLog};
use loadgen::traffic::{Client, Exchange, ExpectedAnswer, LoadPlan, Request, RunningLoad, Schedule};
use mock_llm::MockLlm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const GAP: Duration = Duration::from_millis(20);

async fn vendor(tokens: u32) -> MockLlm {
    MockLlm::builder().tokens(tokens).ttft(GAP).inter_token(GAP).start().await.unwrap()
}

fn exchange(endpoint: Endpoint) -> Exchange {
    Exchange { timeout: Duration::from_secs(20), ..Exchange::new(endpoint, Request::completion_stream()) }
}

fn plan(endpoint: Endpoint, schedule: Schedule) -> LoadPlan {
    LoadPlan::new(exchange(endpoint), schedule)
}

fn start(plan: LoadPlan) -> (RunningLoad, Arc<StreamLog>) {
    let log = Arc::new(StreamLog::default());
    (RunningLoad::start(plan, log.clone(), Arc::new(LagLog::default())), log)
}

/// The head of a stream that ends when its connection does.
macro_rules! events_head {
    () => {
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    };
}

/// A server that answers every request with these bytes and closes.
async fn scripted(answer: &'static str) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Endpoint::at(addr)
}

async fn ended(endpoint: Endpoint) -> (StreamEnd, u64) {
    ended_of(exchange(endpoint)).await
}

async fn ended_of(exchange: Exchange) -> (StreamEnd, u64) {
    let log = Arc::new(StreamLog::default());
    let answer = exchange.perform(Instant::now(), &log).await;
    (answer.end, log.chunks())
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_streams_match_the_vendors_ledger() {
    let vendor = vendor(7).await;
    let (load, log) = start(plan(Endpoint::at(vendor.addr()), Schedule::once(30, Duration::from_millis(100))));
    load.wait(Duration::from_secs(20)).await;
    let (stats, ledger) = (log.stats(Duration::from_secs(1)), vendor.ledger());
    assert_eq!((stats.requested, stats.completed, stats.lost(), stats.disconnected), (30, 30, 0, 0));
    assert_eq!((ledger.completed, ledger.tokens_sent), (30, stats.chunks));
    assert_eq!((stats.chunks, stats.tokens), (30 * 7, 30 * 7), "the role chunk is no token");
    assert!(load.has_ended() && stats.bytes > 30 * 7 * 50, "{stats:?}");
    let gap = GAP.as_secs_f64() * 1000.0;
    assert!(stats.time_to_first_token_ms.p50 >= 0.9 * gap && stats.latency_ms.p50 >= 0.9 * 7.0 * gap, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_have_pauses_between_them() {
    let vendor = vendor(1).await;
    let (over, every) = (Duration::from_millis(20), Duration::from_millis(400));
    let bursts = Schedule::Bursts { bursts: 3, each: 5, over, every };
    let (load, log) = start(plan(Endpoint::at(vendor.addr()), bursts));
    load.wait(Duration::from_secs(20)).await;
    let starts = vendor.ledger().starts;
    assert_eq!((log.stats(Duration::from_secs(1)).completed, starts.len()), (15, 15));
    let pauses = starts.windows(2).filter(|pair| pair[1] - pair[0] > 150.0);
    assert_eq!(pauses.count(), 2, "{starts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn early_disconnects_reach_the_vendor() {
    let vendor = vendor(1000).await;
    let mut plan = plan(Endpoint::at(vendor.addr()), Schedule::at_once(10));
    plan.exchange.client = Client::default().disconnects_after_tokens(3);
    let (load, log) = start(plan);
    load.wait(Duration::from_secs(20)).await;
    let stats = log.stats(Duration::from_secs(1));
    assert_eq!((stats.disconnected, stats.lost(), stats.chunks), (10, 0, 30));
    wait_until(|| vendor.ledger().cancelled == 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_is_kept_and_disconnect_closes_all_streams() {
    let vendor = vendor(10).await;
    let (load, log) = start(plan(Endpoint::at(vendor.addr()), Schedule::concurrency(8)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    load.stop();
    load.disconnect().await;
    let stats = log.stats(Duration::from_secs(2));
    assert_eq!((stats.peak_active, log.active()), (8, 0));
    assert!(stats.completed >= 24, "finished streams are replaced: {}", stats.completed);
    assert_eq!(stats.requested, stats.completed + stats.failed + stats.truncated + stats.disconnected);
    assert!(vendor.ledger().peak_active <= 8 + 1);
    wait_until(|| vendor.ledger().active == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_model_keeps_its_rate_and_its_maximum() {
    let vendor = vendor(200).await;
    let (at_rate, log) = start(plan(Endpoint::at(vendor.addr()), Schedule::rate(50.0)));
    let bounded = LoadPlan { requests_max: 5, ..plan(Endpoint::at(vendor.addr()), Schedule::poisson(50.0)) };
    let (bounded, few) = start(bounded);
    tokio::time::sleep(Duration::from_secs(2)).await;
    at_rate.stop();
    let begun = log.active();
    at_rate.disconnect().await;
    assert!((90..=101).contains(&begun), "{begun} streams in 2 s at 50/s");
    assert_eq!(log.stats(Duration::from_secs(2)).requested, begun, "a stopped load sends nothing");
    bounded.disconnect().await;
    assert_eq!(few.stats(Duration::from_secs(1)).requested, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_of_a_stream_has_its_cause() {
    let whole =
        scripted(concat!(events_head!(), "data: {\"content\":\"a\"}\n\ndata: {\"content\":\"b\"}\n\ndata: [DONE]\n\n"))
            .await;
    assert_eq!(ended(whole).await, (StreamEnd::Completed, 2));
    let cut = scripted(concat!(events_head!(), "data: {\"content\":\"a\"}\n\n")).await;
    assert_eq!(ended(cut).await, (StreamEnd::Truncated, 1));
    let failed = scripted(concat!(
        events_head!(),
        "data: {\"content\":\"a\"}\n\nevent: error\ndata: {\"error\":{\"message\":\"x\",\"type\":\"stream_error\"}}\n\n"
    ))
    .await;
    assert_eq!(ended(failed).await, (StreamEnd::Failed("error event"), 1));
    let refused = scripted("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(ended(refused).await, (StreamEnd::Refused(429), 0));
    let silent = scripted("").await;
    assert_eq!(ended(silent).await, (StreamEnd::Failed("closed before an answer"), 0));
    let broken =
        scripted("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 500\r\n\r\ndata: {}\n\n").await;
    assert_eq!(ended(broken).await.0, StreamEnd::Failed("broke off"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_event_stream_fails() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{\"error\":\"no way\"}",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ndata: a\n\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 202 Accepted\r\ncontent-type: text/event-streams\r\ncontent-length: 0\r\n\r\n",
    ] {
        assert_eq!(ended(scripted(answer).await).await, (StreamEnd::Failed("no event stream"), 0), "{answer}");
    }
    for content_type in ["Text/Event-Stream", "text/event-stream; charset=utf-8", "TEXT/EVENT-STREAM ;x=y"] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\ndata: a\n\ndata: [DONE]\n\n");
        assert_eq!(ended(scripted(answer.leak()).await).await, (StreamEnd::Completed, 1), "{content_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_answers_without_an_error_are_completed() {
    for (answer, expected) in [
        (
            "200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{\"choices\":[]}",
            (StreamEnd::Completed, 1),
        ),
        ("200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>", (StreamEnd::Completed, 1)),
        (
            "200 OK\r\ncontent-length: 18\r\n\r\n{\"error\":\"no way\"}",
            (StreamEnd::Failed("answer reports an error"), 1),
        ),
        ("200 OK\r\ncontent-length: 9\r\n\r\nhalf", (StreamEnd::Failed("broke off"), 1)),
        ("204 No Content\r\n\r\n", (StreamEnd::Failed("empty answer"), 0)),
        ("500 Internal Server Error\r\ncontent-length: 2\r\n\r\nno", (StreamEnd::Refused(500), 0)),
    ] {
        let mut exchange = exchange(scripted(format!("HTTP/1.1 {answer}").leak()).await);
        exchange.request.answer = ExpectedAnswer::Whole;
        assert_eq!(ended_of(exchange).await, expected, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn error_bodies_of_all_usual_forms_are_failures() {
    for event in [
        r#"data: {"error":{"message":"R","type":"InternalServerError","param":null,"code":500}}"#,
        r#"data: {"error":{"code":502,"message":"R"}}"#,
        r#"data: {"error":"R"}"#,
        r#"data: {"id":"a","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"R"}}"#,
        r#"data: {"choices":[{"delta":{"content":"x"},"error":{"message":"R"}}]}"#,
        r#"data: {"content":"","error":{"message":"R"}}"#,
        "event: error\ndata: R",
        "event: error\ndata: {\"content\":\"R\"}",
    ] {
        let answer = format!("{}data: {{\"content\":\"a\"}}\n\n{event}\n\ndata: [DONE]\n\n", events_head!());
        assert_eq!(ended(scripted(answer.leak()).await).await, (StreamEnd::Failed("error event"), 1), "{event}");
    }
    let quoted = concat!(events_head!(), "data: {\"content\":\"an \\\"error\\\" of mine\"}\n\ndata: [DONE]\n\n");
    assert_eq!(ended(scripted(quoted).await).await, (StreamEnd::Completed, 1), "a text that speaks of an error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_complete_by_the_relays_rule() {
    const STOP: &str = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    const TEXT: &str = r#"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
    const TOOL: &str =
        r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#;
    let without_token = StreamEnd::Failed("ended without a token");
    for (events, expected) in [
        (format!("{TEXT}\n\n{STOP}\n\n"), (StreamEnd::CompletedWithoutDone, 1)),
        (format!("{TEXT}\n\n{STOP}\n\ndata: [DONE]\n"), (StreamEnd::Completed, 1)),
        (format!("{TOOL}\n\n{STOP}\n\n"), (StreamEnd::CompletedWithoutDone, 1)),
        (format!("{TEXT}\n\n"), (StreamEnd::Truncated, 1)),
        (format!("{STOP}\n\ndata: [DONE]\n\n"), (without_token, 0)),
        // A server with its own dialect, which has no end marker.
        ("data: hello\n\ndata: world\n\n".to_owned(), (StreamEnd::CompletedWithoutDone, 2)),
        ("data: {\"token\":\"hello\"}\n\n".to_owned(), (StreamEnd::CompletedWithoutDone, 1)),
        (String::new(), (without_token, 0)),
    ] {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{events}",
            events.len()
        );
        assert_eq!(ended(scripted(answer.leak()).await).await, expected, "{events}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generators_timer_does_not_delay_the_first_token() {
    let vendor = vendor(2).await;
    let (load, log) = start(plan(Endpoint::at(vendor.addr()), Schedule::once(100, Duration::from_secs(1))));
    load.wait(Duration::from_secs(20)).await;
    let stats = log.stats(Duration::from_secs(1));
    let own = stats.time_to_first_token_ms.p50 - stats.time_to_first_token_from_sent_ms.p50;
    // A timer of the event loop rounds up to the next millisecond: a median of 0.5 to 1.1 ms.
    assert!((0.0..0.4).contains(&own), "{own} ms, {stats:?}");
}

/// Polls until `done`, for at most ten seconds.
async fn wait_until(done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "waited ten seconds in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
