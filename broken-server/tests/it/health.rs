//! Many requests for `/health` at the same time.

use futures_util::future::join_all;

use crate::support::{TestServer, unreachable_vendor};

/// A probe for each would take that many threads of the pool that it looks at.
#[tokio::test]
async fn health_checks_at_the_same_time_share_one_probe() {
    const ASKED: usize = 200;
    let server = TestServer::start("none", &unreachable_vendor().await, &[]);
    let client = server.client();
    let answers = join_all((0..ASKED).map(|_| client.get("/health"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
    let probes = client.metric("blocking_pool_queue_wait_seconds_count").await;
    assert!(probes >= 1.0 && probes < ASKED as f64 / 4.0, "{probes} probes for {ASKED} health checks");
}
