//! When the server is out, and what brings it back.

use std::time::Duration;

use crate::support::{Client, TestServer, until, vendor};

/// Enough failures for a rate.
const FAILURES: usize = 10;

async fn call(client: &Client, fault: &str) -> u16 {
    client.whole().header("x-mock-fault", fault).send().await.unwrap().status().as_u16()
}

async fn start(flags: &[&str]) -> (mock_llm::MockLlm, TestServer, Client) {
    let mock = vendor(1, Duration::ZERO, Duration::ZERO).await;
    let server = TestServer::start("readiness-cascade", &mock.url(), &[&["--attempts", "1"], flags].concat());
    let client = server.client();
    for number in 0..FAILURES {
        assert_eq!(client.ready().await, 200, "after {number} failures");
        assert_eq!(call(&client, "status=503").await, 502);
    }
    assert_eq!(client.ready().await, 503);
    (mock, server, client)
}

#[tokio::test]
async fn only_calls_bring_it_back() {
    let (_mock, _server, client) = start(&[]).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(client.ready().await, 503, "time alone does not");
    for _ in 0..20 {
        assert_eq!(client.whole().send().await.unwrap().status(), 200);
    }
    assert_eq!(client.ready().await, 200);
}

#[tokio::test]
async fn with_a_window_time_alone_brings_it_back() {
    let (_mock, _server, client) = start(&["--error-window", "1s"]).await;
    until("it is ready", async || client.ready().await == 200).await;
}

#[tokio::test]
async fn a_rejected_call_says_nothing_about_the_vendor() {
    let mock = vendor(1, Duration::ZERO, Duration::ZERO).await;
    let server = TestServer::start("readiness-cascade", &mock.url(), &["--attempts", "1"]);
    let client = server.client();
    for _ in 0..2 * FAILURES {
        assert_eq!(call(&client, "status=400").await, 400);
    }
    assert_eq!(client.ready().await, 200);
}
