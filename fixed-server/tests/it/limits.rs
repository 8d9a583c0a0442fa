//! Limits on how much runs at once, and what is held meanwhile.

use std::time::Duration;

use futures_util::future::join_all;
use mock_llm::MockLlm;

use crate::server::{STREAM, Server, error_type};

/// The permit is held to the end of the stream: were it given back with the response's head, as a
/// middleware would do it, the vendor would see all of them at once.
#[tokio::test]
async fn the_vendor_never_sees_more_than_the_limit() {
    let gap = Duration::from_millis(20);
    let mock = MockLlm::builder().tokens(5).ttft(gap).inter_token(gap).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--max-in-flight", "3"]).await;
    let request = async |path| {
        let answer = server.post(path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    let paths = [STREAM, "/llm", STREAM];
    let answers = join_all((0..15).map(|number| request(paths[number % paths.len()]))).await;
    assert!(answers.iter().all(|text| text.ends_with("data: [DONE]\n\n") || text.starts_with('{')), "{answers:?}");
    let ledger = mock.ledger();
    assert_eq!((ledger.peak_active, ledger.completed), (3, 15), "{ledger:?}");
    server.until("llm_concurrent_calls", 0.0).await;
    assert_eq!(server.outcomes("success").await, 15.0);
    assert!(server.metric("llm_semaphore_wait_seconds_sum").await > 0.0, "twelve of them waited");
    assert_eq!(server.metric("llm_rate_limit_wait_seconds_sum").await, 0.0, "there is no rate");
}

#[tokio::test]
async fn a_full_queue_and_a_wait_in_vain_are_told_apart() {
    let never = Duration::from_secs(600);
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(never).start().await.unwrap();
    let flags = ["--max-in-flight", "1", "--max-queued", "1", "--queue-timeout", "500ms"];
    let server = Server::start(&mock.url(), &flags).await;
    let running = server.stream().await;
    let waiting = tokio::spawn(server.post(STREAM).send());
    server.until("llm_queue_length", 1.0).await;

    let refused = server.stream().await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(error_type(refused).await, "overloaded");
    assert_eq!(server.ready().await, 503);

    let in_vain = waiting.await.unwrap().unwrap();
    assert_eq!((in_vain.status().as_u16(), error_type(in_vain).await.as_str()), (504, "queue_timeout"));
    assert_eq!(server.ready().await, 200, "nobody waits any more");
    assert_eq!(mock.ledger().started, 1);
    drop(running);
}

/// A vendor's connection whose answer was read to its end is used again.
#[tokio::test]
async fn streams_one_after_the_other_share_a_connection() {
    let mock = MockLlm::builder().tokens(3).ttft(Duration::ZERO).inter_token(Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &[]).await;
    for _ in 0..5 {
        server.stream().await.text().await.unwrap();
    }
    assert_eq!((mock.ledger().completed, mock.ledger().connections_opened), (5, 1));
}
