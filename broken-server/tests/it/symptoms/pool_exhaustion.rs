//! The knee at the size of the pool, and what shows the pool.

use super::{GAP, TOKENS, knee_is_at, stream_beside};
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn its_knee_is_at_a_pool_of_8() {
    knee_is_at("pool-exhaustion", 8).await;
}

#[tokio::test]
async fn its_knee_is_at_a_pool_of_40() {
    knee_is_at("pool-exhaustion", 40).await;
}

#[tokio::test]
async fn the_pool_is_seen_in_the_metrics_and_by_health() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("pool-exhaustion", &mock.url(), &["--blocking-threads", "2"]);
    let client = server.client();
    let healthy: serde_json::Value = client.get("/health").await.json().await.unwrap();
    assert_eq!(healthy["status"], "healthy");
    assert!(healthy["checks"]["thread_pool_response_time"].as_f64().unwrap() >= 0.01);

    let streams = [client.open_stream().await, client.open_stream().await];
    let third = stream_beside(&client);
    client.until_metric("blocking_pool_queued", 1.0).await;
    assert_eq!(client.metric("blocking_pool_size").await, 2.0);
    assert_eq!(client.metric("blocking_pool_busy").await, 2.0);
    assert_eq!(client.metric("llm_open_streams").await, 2.0);

    // It probes the same pool, and bounds its own wait.
    let ill: serde_json::Value = client.get("/health").await.json().await.unwrap();
    assert_ne!(ill["status"], "healthy");
    assert_eq!(ill["checks"]["thread_exhaustion_warning"], true);

    for stream in streams {
        assert!(stream.finish().await.is_whole());
    }
    assert!(third.await.unwrap().is_whole());
    client.until_metric("blocking_pool_busy", 0.0).await;
    // The third stream waited for one of the first two to end.
    assert!(client.metric("blocking_pool_queue_wait_seconds_sum").await >= 0.5);
}
