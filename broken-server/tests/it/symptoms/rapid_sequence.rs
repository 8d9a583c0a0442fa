//! Each cause that can be switched on has its effect, and without it there is none.

use std::time::Duration;

use futures_util::future::join_all;
use mock_llm::MockLlm;

use crate::support::{TestServer, vendor};

const SHORT: Duration = Duration::from_millis(20);

fn start(causes: &str, mock: &MockLlm, flags: &[&str]) -> TestServer {
    TestServer::start(&format!("rapid-sequence --causes {causes}"), &mock.url(), flags)
}

async fn status(server: &TestServer) -> u16 {
    server.client().whole().send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_client_for_each_call_opens_a_connection_for_each() {
    for (causes, connections) in [("client", 4), ("none", 1)] {
        let mock = vendor(1, Duration::ZERO, Duration::ZERO).await;
        let server = start(causes, &mock, &[]);
        for _ in 0..4 {
            assert_eq!(status(&server).await, 200);
        }
        assert_eq!(mock.ledger().connections_opened, connections, "{causes}");
    }
}

#[tokio::test]
async fn the_sixteenth_call_at_once_gets_no_connection_to_the_database() {
    for (causes, flags, failed) in [("database", &["--pool-timeout", "500ms"][..], 1), ("none", &[], 0)] {
        let mock = vendor(1, Duration::from_millis(1200), Duration::ZERO).await;
        let server = start(causes, &mock, flags);
        let client = server.client();
        let statuses = join_all((0..16).map(|_| client.completion().send())).await;
        let statuses: Vec<_> = statuses.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
        let with = |expected| statuses.iter().filter(|status| **status == expected).count();
        assert_eq!([with(503), with(200)], [failed, 16 - failed], "{causes}: {statuses:?}");
    }
}

#[tokio::test]
async fn the_timeout_ends_an_answer_that_takes_longer() {
    for (causes, flags, expected) in
        [("timeout", &["--vendor-timeout", "100ms", "--attempts", "1"][..], 502), ("none", &[], 200)]
    {
        let mock = vendor(20, SHORT, SHORT).await;
        assert_eq!(status(&start(causes, &mock, flags)).await, expected, "{causes}");
    }
}

#[tokio::test]
async fn without_throttling_a_429_becomes_a_500_and_is_not_tried_again() {
    for (causes, expected, refused) in [("throttling", 500, 1), ("none", 200, 1)] {
        let quota = (1, Duration::from_millis(300));
        let mock = MockLlm::builder().tokens(1).ttft(SHORT).quota_requests(quota.0, quota.1).start().await.unwrap();
        let server = start(causes, &mock, &[]);
        assert_eq!([status(&server).await, status(&server).await], [200, expected], "{causes}");
        assert_eq!(mock.ledger().refused, refused, "{causes}");
    }
}
