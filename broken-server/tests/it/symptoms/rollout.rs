//! The share of asynchronous streams, and how it is set.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::GAP;
use crate::support::{Client, EventStream, TestServer, vendor};

const SHARE: &str = "/debug/rollout";

/// How a good stream was read, as its header says.
async fn method(client: &Client) -> String {
    let response = client.chat().send().await.unwrap();
    let method = response.headers()["x-stream-method"].to_str().unwrap().to_owned();
    assert!(EventStream::new(response).finish().await.is_complete());
    method
}

async fn share(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_new_share_holds_for_the_next_stream() {
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
async fn a_bad_share_is_rejected_and_changes_nothing() {
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

#[tokio::test]
async fn a_stream_of_the_fallback_says_that_it_is_blocking() {
    let mock = vendor(3, GAP / 20, GAP / 20).await;
    fail_once(&mock).await;
    let server = TestServer::start("rollout --rollout-percent 100", &mock.url(), &[]);
    assert_eq!(method(&server.client()).await, "blocking");
    assert_eq!(method(&server.client()).await, "async");
}

/// The requests that a page in a browser can send.
#[tokio::test]
async fn no_web_page_can_change_the_share() {
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

/// Makes the vendor fail its next call.
async fn fail_once(mock: &mock_llm::MockLlm) {
    let faults = json!({"faults": ["status=503;first=1"]});
    let client = gateway::http_client().build().unwrap();
    let set = client.post(format!("{}/debug/faults", mock.url())).json(&faults).send().await.unwrap();
    assert_eq!(set.status(), 200);
}
