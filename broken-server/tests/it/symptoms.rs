use std::time::{Duration, Instant};

use mock_llm::MockLlm;
use tokio::task::JoinSet;

use crate::support::{Client, EventStream, TestServer, until, vendor};

const SYNC: &str = "/debug/health-sync";
const ASYNC: &str = "/debug/health-async";

/// The gap between tokens. Streams of 20 last 2 s.
const GAP: Duration = Duration::from_millis(100);
const TOKENS: u32 = 20;

/// Streams under load, and what the probes took meanwhile.
struct Loaded {
    sync_worst: Duration,
    async_worst: Duration,
    /// From the first probe to the end of the first stream.
    remaining: Duration,
    vendor_peak: u64,
}

/// Opens `count` streams, waits until the vendor generates all of them, and probes until the first ends.
async fn load(client: &Client, mock: &MockLlm, count: u64) -> Loaded {
    let mut streams = JoinSet::new();
    for _ in 0..count {
        let client = client.clone();
        streams.spawn(async move { client.open_stream().await.finish().await });
    }
    until("all streams at the vendor", async || mock.ledger().active == count).await;

    let begun = Instant::now();
    let first_end = async {
        let ended = streams.join_next().await.unwrap().unwrap();
        (ended, begun.elapsed())
    };
    let probing = async {
        let mut worst = [Duration::ZERO; 2];
        while mock.ledger().completed == 0 {
            let times = tokio::join!(client.time(SYNC), client.time(ASYNC));
            worst = [worst[0].max(times.0), worst[1].max(times.1)];
        }
        worst
    };
    let ((first, remaining), [sync_worst, async_worst]) = tokio::join!(first_end, probing);

    assert!(first.is_whole());
    while let Some(ended) = streams.join_next().await {
        assert!(ended.unwrap().is_whole());
    }
    Loaded { sync_worst, async_worst, remaining, vendor_peak: mock.ledger().peak_active }
}

async fn loaded(mistake: &str, threads: &str, count: u64) -> Loaded {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start(mistake, &mock.url(), &["--blocking-threads", threads]);
    let loaded = load(&server.client(), &mock, count).await;
    assert_eq!(loaded.vendor_peak, count);
    loaded
}

/// The knee of `pool-exhaustion` is at exactly the size of the pool.
async fn knee_is_at(threads: u64) {
    let size = threads.to_string();
    let at_size = loaded("pool-exhaustion", &size, threads).await;
    let below = loaded("pool-exhaustion", &size, threads - 1).await;

    let wait = at_size.sync_worst;
    assert!(wait >= at_size.remaining.mul_f64(0.3), "{wait:?} of {:?}", at_size.remaining);
    assert!(below.sync_worst <= wait / 10, "{:?} at one stream fewer, {wait:?} at the size", below.sync_worst);
    for flat in [at_size.async_worst, below.async_worst] {
        assert!(flat <= wait / 10, "health-async {flat:?}, health-sync {wait:?}");
    }
}

#[tokio::test]
async fn pool_exhaustion_has_its_knee_at_a_pool_of_8() {
    knee_is_at(8).await;
}

#[tokio::test]
async fn pool_exhaustion_has_its_knee_at_a_pool_of_40() {
    knee_is_at(40).await;
}

#[tokio::test]
async fn pool_per_chunk_delays_by_about_a_token_gap() {
    // The gap is longer here, so that the machine's own delays are small beside it.
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

    let mut worst = [Duration::ZERO; 2];
    while mock.ledger().completed == 0 {
        let times = tokio::join!(client.time(SYNC), client.time(ASYNC));
        worst = [worst[0].max(times.0), worst[1].max(times.1)];
    }
    assert!(worst[0] >= gap.mul_f64(0.4) && worst[0] <= 2 * gap, "{worst:?}");
    assert!(worst[1] <= worst[0] / 2, "health-async is late too: {worst:?}");
    while let Some(ended) = streams.join_next().await {
        assert_eq!(ended.unwrap().tokens(), 8);
    }
}

#[tokio::test]
async fn blocked_executor_stops_everything_with_one_stream() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("blocked-executor", &mock.url(), &["--blocking-threads", "40"]);
    let client = server.client();
    let idle = client.time(ASYNC).await;

    let streaming = tokio::spawn({
        let client = client.clone();
        async move { client.open_stream().await.finish().await }
    });
    until("the stream at the vendor", async || mock.ledger().active == 1).await;
    let begun = Instant::now();
    let delayed = client.time(ASYNC).await;
    let ended = streaming.await.unwrap();
    let length = begun.elapsed();

    assert_eq!(ended.tokens(), 20);
    assert!(delayed >= length.mul_f64(0.7), "{delayed:?} of {length:?}");
    assert!(idle <= delayed / 10, "{idle:?} when idle, {delayed:?} beside a stream");
    assert!(client.time(ASYNC).await <= delayed / 10);
}

#[tokio::test]
async fn blocked_executor_still_delivers_each_token_when_it_comes() {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start("blocked-executor", &mock.url(), &[]);
    let mut stream: EventStream = server.client().open_stream().await;
    stream.read(2).await;
    assert!(mock.ledger().tokens_sent < u64::from(TOKENS));
    assert!(stream.finish().await.is_whole());
}

#[tokio::test]
async fn the_control_is_flat_with_many_times_more_streams_than_threads() {
    let loaded = loaded("none", "2", 60).await;
    let flat = loaded.remaining / 10;
    assert!(
        loaded.sync_worst <= flat && loaded.async_worst <= flat,
        "{:?} {:?}",
        loaded.sync_worst,
        loaded.async_worst
    );
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
    let third = tokio::spawn({
        let client = client.clone();
        async move { client.open_stream().await.finish().await }
    });
    until("work in the queue", async || client.metric("blocking_pool_queued").await == 1.0).await;
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
    until("an empty pool", async || client.metric("blocking_pool_busy").await == 0.0).await;
    // The third stream waited for one of the first two to end.
    assert!(client.metric("blocking_pool_queue_wait_seconds_sum").await >= 0.5);
}
