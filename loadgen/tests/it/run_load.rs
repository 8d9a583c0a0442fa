//! `loadgen run`: how a load ends, what is left out of its figures, and what is required of each request.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use loadgen::http::Endpoint;
use loadgen::measure::{LagLog, StreamLog};
use loadgen::traffic::{BodyTemplate, Exchange, LoadPlan, Request, RunningLoad, Schedule, WarmUp};
use mock_llm::MockLlm;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

use crate::scripted::{CHECK_OK, EVENTS, FAILS, HANGS, OK, REJECTS, Script, loadgen, read_request, serve, until};

const ONE_TOKEN: Script =
    |mut request| Box::pin(async move { _ = request.send(format!("{EVENTS}data: a\n\ndata: [DONE]\n\n")).await });
/// Good at first, so that the run starts.
const CHECK_FAILS_LATER: Script = |request| {
    if request.seen.checks.load(Relaxed) > 1 { (FAILS)(request) } else { (CHECK_OK)(request) }
};
const LONG: Duration = Duration::from_secs(20);

fn start(plan: LoadPlan, log: &Arc<StreamLog>) -> RunningLoad {
    RunningLoad::start(plan, log.clone(), Arc::new(LagLog::default()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_its_own_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::at(listener.local_addr().unwrap());
    let (sender, mut bodies) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = read_request(&mut stream).await.unwrap();
            let text = String::from_utf8(request).unwrap();
            sender.send(text.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()).unwrap();
            let _ = stream.write_all(OK.as_bytes()).await;
        }
    });
    let template = BodyTemplate::parse(r#"{"n":{{n}},"prompt":"{{prompt:6}}"}"#, 1).unwrap();
    let exchange = Exchange::new(endpoint, Request::whole());
    let plan = LoadPlan {
        template: Some(Arc::new(template)),
        requests_max: 20,
        ..LoadPlan::new(exchange, Schedule::concurrency(4))
    };
    let log = Arc::new(StreamLog::default());
    let load = start(plan, &log);
    load.wait(LONG).await;
    assert!(load.has_ended(), "a load ends with the last of its requests");
    let mut seen = Vec::new();
    while let Ok(body) = bodies.try_recv() {
        seen.push(serde_json::from_str::<Value>(&body).unwrap());
    }
    let mut numbers: Vec<_> = seen.iter().map(|body| body["n"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let prompts: std::collections::BTreeSet<_> = seen.iter().map(|body| body["prompt"].as_str().unwrap()).collect();
    assert_eq!(prompts.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_in_the_warm_up_is_counted_apart() {
    let (addr, seen) = serve(ONE_TOKEN, CHECK_OK).await;
    let all = Arc::new(StreamLog::default());
    let measured = Arc::new(StreamLog::part_of(all.clone()));
    let plan = LoadPlan {
        requests_max: 40,
        warm_up: Some(WarmUp { takes: Duration::from_millis(299), log: all.clone() }),
        ..LoadPlan::new(Exchange::new(Endpoint::at(addr), Request::chat()), Schedule::rate(50.0))
    };
    start(plan, &measured).wait(LONG).await;
    let of = |log: &StreamLog| log.stats(Duration::from_secs(1)).requested;
    // Due every 20 ms, the first after 20 ms: fourteen before 299 ms.
    assert_eq!((of(&all), of(&measured), seen.streams.load(Relaxed)), (40, 26, 40));
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_over_the_cap_are_dropped_and_counted() {
    let (addr, seen) = serve(HANGS, CHECK_OK).await;
    let log = Arc::new(StreamLog::default());
    let exchange = Exchange::new(Endpoint::at(addr), Request::chat());
    let plan = LoadPlan { in_flight_max: Some(5), ..LoadPlan::new(exchange, Schedule::rate(200.0)) };
    let load = start(plan, &log);
    until("fifty arrivals are dropped", async || log.stats(LONG).dropped >= 50).await;
    assert_eq!((log.active(), seen.streams.load(Relaxed)), (5, 5));
    load.disconnect().await;
    assert_eq!(log.stats(LONG).requested, 5, "what is dropped was not requested");
}

async fn vendor() -> MockLlm {
    let gap = Duration::from_millis(20);
    MockLlm::builder().tokens(10).ttft(gap).inter_token(gap).start().await.unwrap()
}

const BODY: &str = r#"{"model":"mock-llm","stream":true,"messages":[{"role":"user","content":"{{prompt:20}}"}]}"#;

/// `run` against a vendor with this body, and its result file.
async fn run_with(body: &str, vendor: &MockLlm, file: &str, more: &[&str]) -> (i32, String, Value) {
    let (url, out) = (vendor.url() + "/v1/chat/completions", Path::new(env!("CARGO_TARGET_TMPDIR")).join(file));
    let fixed = ["run", "--url", &url, "--body", body, "--probe", "health=/health", "--baseline", "100ms", "--plain"];
    let (code, said) = loadgen(&[&fixed[..], &["--out", out.to_str().unwrap()], more].concat()).await;
    let result = std::fs::read(out).map_or(Value::Null, |json| serde_json::from_slice(&json).unwrap());
    (code, said, result)
}

async fn run(vendor: &MockLlm, file: &str, more: &[&str]) -> (i32, String, Value) {
    run_with(BODY, vendor, file, more).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_requests_ends_the_run_and_goodput_judges_them() {
    let vendor = vendor().await;
    let slo = ["--slo", "ttft<10s", "--slo", "tpot<=10s", "--slo", "e2e.p99<10s", "--slo", "dropped==0"];
    let few = ["--requests", "30", "--concurrency", "10", "--ramp", "0s"];
    let (code, said, result) = run(&vendor, "requests.json", &[&few[..], &slo].concat()).await;
    assert_eq!(code, 0, "{said}");
    let streams = &result["target"]["streams"];
    assert_eq!((&streams["requested"], &streams["completed"]), (&30.into(), &30.into()), "{said}");
    assert_eq!((&streams["goodput"]["met"], &streams["goodput"]["of"]), (&30.into(), &30.into()));
    assert_eq!(streams["formats"]["openai"], 30);
    assert!(said.contains("30 OpenAI chunks") && said.contains("goodput: 30 of 30"), "{said}");
    let gap = streams["time_per_token_ms"]["p50"].as_f64().unwrap();
    assert!((10.0..200.0).contains(&gap), "20 ms between tokens: {gap}");

    let (code, said, _) = run(&vendor, "missed.json", &[&few[..], &["--slo", "e2e<20ms"]].concat()).await;
    assert!(code == 1 && said.contains("of the others: 30 not e2e<20ms"), "{code}: {said}");
    let missed = [&few[..], &["--slo", "e2e<20ms", "--slo", "goodput<1%"]].concat();
    assert_eq!(run(&vendor, "as_required.json", &missed).await.0, 0, "goodput is judged as it was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_called_calls_and_the_warm_up_is_in_no_figure() {
    let vendor = vendor().await;
    let whole = BODY.replace("true", "false");
    let load = ["--whole-answers", "--rate", "40", "--arrivals", "constant", "--warmup", "500ms"];
    let ends = ["--duration", "1500ms", "--drain", "5s"];
    let (code, said, result) = run_with(&whole, &vendor, "calls.json", &[&load[..], &ends].concat()).await;
    assert_eq!(code, 0, "{said}");
    let requested = result["target"]["streams"]["requested"].as_u64().unwrap();
    // Sixty are due in 1.5 s, twenty of them in the warm-up.
    assert!((36..=41).contains(&requested), "{requested}: {said}");
    let phases = result["target"]["phases"].as_array().unwrap();
    assert_eq!(phases.iter().map(|phase| &phase["name"]).collect::<Vec<_>>(), ["baseline", "warm-up", "loaded"]);
    assert!(said.contains("calls answered") && said.contains("whole call, from due"), "{said}");
    assert!(!said.contains("stream") && !said.contains("token"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_get_the_requests_in_turn_and_are_shown_apart() {
    let (good, seen_good) = serve(ONE_TOKEN, CHECK_OK).await;
    let (bad, seen_bad) = serve(FAILS, CHECK_FAILS_LATER).await;
    let (good, bad) = (format!("http://{good}"), format!("http://{bad}"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("several.json");
    let servers = ["run", "--url", &good, "--url", &bad, "--probe", "health=/health", "--baseline", "0s", "--plain"];
    let load = ["--rate", "40", "--arrivals", "constant", "--requests", "40", "--slo", "health.failed==0"];
    let (code, said) = loadgen(&[&servers[..], &load, &["--out", out.to_str().unwrap()]].concat()).await;
    assert_eq!(code, 1, "a probe of any of them counts: {said}");
    let result: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let target = &result["target"];
    let of = |index: usize, what: &str| target["targets"][index]["streams"][what].as_u64().unwrap();
    assert_eq!((of(0, "requested"), of(0, "completed"), of(1, "requested"), of(1, "failed")), (20, 20, 20, 20));
    // And one stream each before the load.
    assert_eq!((seen_good.streams.load(Relaxed), seen_bad.streams.load(Relaxed)), (21, 21));
    let failed = |index: usize| target["targets"][index]["probes"]["health"]["failed"].as_u64().unwrap();
    assert!(failed(0) == 0 && failed(1) > 5, "{said}");
    assert_eq!(target["probes"]["health"]["failed"].as_u64().unwrap(), failed(1));
    assert!(said.contains("by server") && said.contains(bad.trim_start_matches("http://")), "{said}");
    let (code, said) = loadgen(&["run", "--url", &format!("{good}/a"), "--url", &format!("{bad}/b")]).await;
    assert!(code == 2 && said.contains("different paths: /a and /b"), "{said}");
    let (code, said) = loadgen(&["run", "--url", &good, "--url", &good]).await;
    assert!(code == 2 && said.contains("is given twice"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_servers_the_one_that_rejects_the_request_is_named() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rejecting.json");
    for other in [ONE_TOKEN, FAILS] {
        let ((other, seen), (rejecting, _)) = (serve(other, CHECK_OK).await, serve(REJECTS, CHECK_OK).await);
        let (other, rejecting) = (format!("http://{other}"), format!("http://{rejecting}"));
        let servers = ["run", "--url", &other, "--url", &rejecting, "--path", "/chat", "--probe", "health=/health"];
        let (code, said) = loadgen(&[&servers[..], &["--plain", "--out", out.to_str().unwrap()]].concat()).await;
        assert_eq!(code, 3, "{said}");
        let result: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        let because: Vec<_> = result["verdict"]["invalid_because"].as_array().unwrap().iter().collect();
        assert_eq!(because[0], &format!("1 of 1 answered 404 at POST {rejecting}/chat: text/plain: no such page"));
        let why = format!("{rejecting} rejects the request of the streams, so there was no load: ");
        assert!(because[1].as_str().unwrap().starts_with(&why), "{because:?}");
        assert_eq!(result["target"]["program"], rejecting);
        assert_eq!(seen.streams.load(Relaxed), 1, "a load would show nothing of the one that rejects");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_named() {
    for (args, named) in [
        (&["--slo", "goodput>=95%"][..], "--slo 'ttft<500ms'"),
        (&["--slo", "ttft>500ms"], "compared by < or <="),
        (&["--body", r#"{"x":"{{promt:5}}"}"#], "{{promt:5}} is unknown"),
        (&["--body", "{{prompt:0}}"], "{{prompt:0}}"),
        (&["--body-file", "no-such-file.json"], "--body-file no-such-file.json"),
        (&["--body", "{}", "--body-file", "x"], "--body-file"),
        (&["--max-in-flight", "5"], "--rate"),
        (&["--warmup", "20s"], "--warmup 20s must be shorter"),
        (&["--whole-answers", "--format", "sse"], "--format"),
        (&["--format", "xml"], "[possible values: auto, chat, openai"),
        (&["--requests", "0"], "--requests"),
    ] {
        let (code, said) = loadgen(&[&["run", "--url", "http://127.0.0.1:1"][..], args].concat()).await;
        assert!(code == 2 && said.contains(named), "{args:?}: {code}: {said}");
    }
}
