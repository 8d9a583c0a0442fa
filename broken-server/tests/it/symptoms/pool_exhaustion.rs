//! What shows that the pool is full.

use super::{GAP, TOKENS, spawn_stream};
use crate::support::{TestServer, vendor};

#[tokio::test]
async fn metrics_and_health_show_the_full_pool() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("pool-exhaustion", &mock.url(), &["--blocking-threads", "2"]);
    let client = server.client();
    let healthy: serde_json::Value = client.get("/health").await.json().await.unwrap();
    assert_eq!(healthy["status"], "healthy");
    assert!(healthy["checks"]["thread_pool_response_time"].as_f64().unwrap() >= 0.01);

    let streams = [client.open_stream().await, client.open_stream().await];
    let third = spawn_stream(&client);
    client.until_metric("blocking_pool_queued", 1.0).await;
    assert_eq!(client.metric("blocking_pool_size").await, 2.0);
    assert_eq!(client.metric("blocking_pool_busy").await, 2.0);
    assert_eq!(client.metric("llm_open_streams").await, 2.0);

    // `/health` probes the same pool, and does not wait for it longer than a second.
    let unhealthy: serde_json::Value = client.get("/health").await.json().await.unwrap();
    assert_ne!(unhealthy["status"], "healthy");
    assert_eq!(unhealthy["checks"]["thread_exhaustion_warning"], true);

    for stream in streams {
        assert!(stream.finish().await.is_complete());
    }
    assert!(third.await.unwrap().is_complete());
    client.until_metric("blocking_pool_busy", 0.0).await;
    // The third stream waited until one of the first two had ended.
    assert!(client.metric("blocking_pool_queue_wait_seconds_sum").await >= 0.5);
}
