//! When a call is retried, and the breaker. What both servers retry is tested in `conformance`.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;

use crate::server::{STREAM, Server};

/// Jitter is added to the vendor's `Retry-After`.
#[tokio::test]
async fn no_retry_comes_before_the_vendors_retry_after() {
    let mock = MockLlm::builder().tokens(2).fault("status=429;retry-after=1;first=4").start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    let answers = join_all((0..4).map(|_| server.post(STREAM).send())).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    let starts = mock.ledger().starts;
    assert_eq!(starts.len(), 8);
    let (first, again) = (starts[3], starts[4]);
    assert!(again - starts[0] >= 990.0 && again > first, "{starts:?}");
}

#[tokio::test]
async fn an_open_breaker_rejects_at_once_and_lets_one_call_probe() {
    let mock = MockLlm::builder().tokens(2).fault("status=503;first=3").start().await.unwrap();
    let flags = ["--breaker-failures", "3", "--breaker-open-time", "1s", "--attempts", "1"];
    let server = Server::start(&mock.url(), &flags).await;
    for _ in 0..3 {
        assert_eq!(server.post("/llm").send().await.unwrap().status(), 502);
    }
    let open = server.post("/llm").send().await.unwrap();
    assert_eq!((open.status().as_u16(), open.headers().contains_key("retry-after")), (502, true));
    assert!(open.text().await.unwrap().contains("\"code\":\"breaker_open\""));
    assert_eq!(mock.ledger().started, 3, "it was not called");
    eventually_ok(&server).await;
    assert_eq!(mock.ledger().started, 4);
}

async fn eventually_ok(server: &Server) {
    let deadline = Instant::now() + crate::server::BOUND;
    while server.post("/llm").send().await.unwrap().status() != 200 {
        assert!(Instant::now() < deadline, "the breaker does not close");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
