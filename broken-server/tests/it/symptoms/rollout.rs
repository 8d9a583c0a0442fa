//! The share, and what a failing vendor does to it.

use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{GAP, SYNC, TOKENS};
use crate::support::{Client, EventStream, TestServer, until, vendor};

const SHARE: &str = "/debug/rollout";

/// Which way a good stream took.
async fn method(client: &Client) -> String {
    let response = client.chat().send().await.unwrap();
    let method = response.headers()["x-stream-method"].to_str().unwrap().to_owned();
    assert!(EventStream::new(response).finish().await.is_whole());
    method
}

async fn share(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn the_share_is_read_for_each_stream() {
    let mock = vendor(2, GAP / 20, GAP / 20).await;
    let server = TestServer::start("rollout", &mock.url(), &["--workers", "2"]);
    let client = server.client();
    assert_eq!(share(client.get(SHARE).await).await, (200, json!({"percent": 0})));
    assert_eq!([method(&client).await, method(&client).await], ["blocking", "blocking"]);

    assert_eq!(share(client.put(SHARE, r#"{"percent":100}"#).await).await, (200, json!({"percent": 100})));
    assert_eq!([method(&client).await, method(&client).await], ["async", "async"]);

    assert_eq!(client.put(SHARE, r#"{"percent":25}"#).await.status(), 200);
    let mut taken = 0;
    for _ in 0..100 {
        taken += usize::from(method(&client).await == "async");
    }
    assert_eq!(taken, 25, "of a hundred in a row, also with two workers");
}

#[tokio::test]
async fn a_bad_share_is_refused_and_changes_nothing() {
    let server = TestServer::start("rollout --rollout-percent 5", "http://127.0.0.1:1", &[]);
    let client = server.client();
    for (body, named) in
        [(r#"{"percent":101}"#, "percent"), (r#"{"percent":"5"}"#, "percent"), ("{}", "percent"), ("[5]", "body")]
    {
        let (status, body) = share(client.put(SHARE, body).await).await;
        assert_eq!((status, &body["error"]["param"]), (400, &json!(named)), "{body}");
    }
    assert_eq!(share(client.get(SHARE).await).await, (200, json!({"percent": 5})));
    let wrong = client.request(reqwest::Method::DELETE, SHARE).send().await.unwrap();
    assert_eq!((wrong.status().as_u16(), &wrong.headers()["allow"]), (405, &"GET, HEAD, PUT".parse().unwrap()));
}

/// What ten streams do whose vendor hangs.
#[derive(Debug)]
struct Hanging {
    /// The longest that `/debug/health-sync` took meanwhile.
    sync: Duration,
    /// When the last of them had failed.
    failed_after: Duration,
    /// Calls that the vendor had from them.
    calls: u64,
}

async fn with_a_vendor_that_hangs(mistake: &str) -> Hanging {
    const STREAMS: usize = 10;
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server =
        TestServer::start(mistake, &mock.url(), &["--blocking-threads", "1", "--first-token-timeout", "400ms"]);
    let client = server.client();
    let begun = Instant::now();
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        streams.spawn(client.chat().header("x-mock-fault", "hang").send());
    }
    until("all streams at the vendor", async || mock.ledger().started >= STREAMS as u64).await;
    let mut sync = Duration::ZERO;
    let mut failed = 0;
    while failed < STREAMS {
        sync = sync.max(client.time(SYNC).await);
        while let Some(answered) = streams.try_join_next() {
            assert_eq!(answered.unwrap().unwrap().status(), 502);
            failed += 1;
        }
    }
    Hanging { sync, failed_after: begun.elapsed(), calls: mock.ledger().started }
}

/// One thread, and ten calls of 400 ms one after the other: it is the sum that the fallback makes of a
/// time-out. Both are measured at the same time, so that a busy machine is the same for both.
#[tokio::test]
async fn falling_back_brings_the_exhaustion_back_when_the_vendor_hangs_and_the_control_holds_nothing() {
    let (rollout, control) = tokio::join!(
        with_a_vendor_that_hangs("rollout --rollout-percent 100"),
        with_a_vendor_that_hangs("none --attempts 1")
    );
    assert_eq!((rollout.calls, control.calls), (20, 10), "each stream asked twice, or once");
    assert!(rollout.sync >= GAP * 16, "{rollout:?}");
    assert!(rollout.failed_after >= GAP * 36, "{rollout:?}");
    assert!(rollout.sync >= control.sync * 3, "{rollout:?} {control:?}");
    assert!(rollout.failed_after >= control.failed_after * 2, "{rollout:?} {control:?}");
}

#[tokio::test]
async fn a_stream_that_was_saved_by_the_fallback_says_so() {
    let mock = vendor(3, GAP / 20, GAP / 20).await;
    mock_llm_fails_once(&mock).await;
    let server = TestServer::start("rollout --rollout-percent 100", &mock.url(), &[]);
    assert_eq!(method(&server.client()).await, "blocking");
    assert_eq!(method(&server.client()).await, "async");
}

/// What a page in a browser can send, were it let.
#[tokio::test]
async fn no_web_page_changes_the_share() {
    let server = TestServer::start("rollout --rollout-percent 20", "http://127.0.0.1:9", &[]);
    let client = server.client();
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("content-type", "text/plain")]
    {
        let request = client.request(Method::PUT, SHARE).header(name, value).body(r#"{"percent":100}"#);
        let request = if name == "content-type" { request } else { request.header("content-type", "application/json") };
        let status = request.send().await.unwrap().status();
        assert!(status == 403 || status == 415, "{name}: {value}: {status}");
    }
    let share: Value = client.get(SHARE).await.json().await.unwrap();
    assert_eq!(share, json!({"percent": 20}));
}

/// Makes the vendor refuse its next call.
async fn mock_llm_fails_once(mock: &mock_llm::MockLlm) {
    let faults = json!({"faults": ["status=503;first=1"]});
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let set = client.post(format!("{}/debug/faults", mock.url())).json(&faults).send().await.unwrap();
    assert_eq!(set.status(), 200);
}
