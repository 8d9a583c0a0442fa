//! The wait for a thread, beside a health check that needs none.

use tokio::task::JoinSet;

use super::{ASYNC, GAP, SYNC, Times};
use crate::support::{TestServer, until, vendor};

#[tokio::test]
async fn health_sync_waits_a_token_gap_and_health_async_does_not() {
    // A longer gap, so that the delays of the machine are small compared with it.
    let gap = 3 * GAP;
    let mock = vendor(8, gap, gap).await;
    let server = TestServer::start("pool-per-chunk", &mock.url(), &["--blocking-threads", "4"]);
    let client = server.client();
    let mut streams = JoinSet::new();
    for _ in 0..6 {
        let client = client.clone();
        streams.spawn(async move { client.open_stream().await.finish().await });
    }
    until("threads that wait for tokens", async || mock.ledger().active >= 4).await;

    let (sync, r#async) = tokio::join!(Times::of(SYNC, &client, &mock), Times::of(ASYNC, &client, &mock));
    assert!(sync.longest() >= gap.mul_f64(0.4), "{sync:?}");
    assert!(sync.usual() <= 2 * gap, "{sync:?}");
    assert!(r#async.usual() <= sync.longest() / 2, "health-async is late too: {:?} beside {sync:?}", r#async);
    while let Some(ended) = streams.join_next().await {
        assert_eq!(ended.unwrap().tokens(), 8);
    }
}
