//! What each mistake does, and that the control does not do it.

mod blocked_executor;
/// A panic in a debug build, a silent stop in a release build.
mod blocking_client;
mod coordinated_omission;
mod hidden_pool_users;
mod more_threads;
mod orphaned_streams;
mod pool_exhaustion;
mod pool_per_chunk;
mod rollout;
mod wrong_canary;

use std::time::{Duration, Instant};

use mock_llm::MockLlm;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::{Client, Ended, TestServer, until, vendor};

const SYNC: &str = "/debug/health-sync";
const ASYNC: &str = "/debug/health-async";

/// The gap between tokens. Streams of 20 last 2 s.
const GAP: Duration = Duration::from_millis(100);
const TOKENS: u32 = 20;

/// How long a route took to answer, each time.
#[derive(Debug)]
struct Times(Vec<Duration>);

impl Times {
    /// Asks for `path` again and again until the vendor has completed a stream.
    async fn of(path: &str, client: &Client, mock: &MockLlm) -> Self {
        const PAUSE: Duration = Duration::from_millis(10);
        let mut times = Vec::new();
        while mock.ledger().completed == 0 {
            times.push(client.time(path).await);
            tokio::time::sleep(PAUSE).await;
        }
        times.sort_unstable();
        Times(times)
    }

    fn longest(&self) -> Duration {
        *self.0.last().unwrap()
    }

    /// What nine of ten took at most: on a busy machine one is late.
    fn usual(&self) -> Duration {
        self.0[self.0.len() * 9 / 10]
    }
}

/// Streams under load, and what the probes took meanwhile.
struct Loaded {
    sync: Times,
    r#async: Times,
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
    let probing = async { tokio::join!(Times::of(SYNC, client, mock), Times::of(ASYNC, client, mock)) };
    let ((first, remaining), (sync, r#async)) = tokio::join!(first_end, probing);

    assert!(first.is_whole());
    while let Some(ended) = streams.join_next().await {
        assert!(ended.unwrap().is_whole());
    }
    Loaded { sync, r#async, remaining, vendor_peak: mock.ledger().peak_active }
}

async fn loaded(mistake: &str, threads: u64, count: u64) -> Loaded {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start(mistake, &mock.url(), &["--blocking-threads", &threads.to_string()]);
    let loaded = load(&server.client(), &mock, count).await;
    assert_eq!(loaded.vendor_peak, count);
    loaded
}

/// Holds that the knee of `mistake` is at exactly the size of the pool.
async fn knee_is_at(mistake: &str, threads: u64) {
    let at_size = loaded(mistake, threads, threads).await;
    let below = loaded(mistake, threads, threads - 1).await;

    let wait = at_size.sync.longest();
    assert!(wait >= at_size.remaining.mul_f64(0.3), "{wait:?} of {:?}", at_size.remaining);
    for (what, flat) in [
        ("health-sync at one stream fewer", below.sync.usual()),
        ("health-async at one stream fewer", below.r#async.usual()),
        ("health-async at the size", at_size.r#async.usual()),
    ] {
        assert!(flat <= wait / 5, "{what} {flat:?}, health-sync at the size {wait:?}");
    }
}

/// A stream that is read to its end beside the test.
fn stream_beside(client: &Client) -> JoinHandle<Ended> {
    let client = client.clone();
    tokio::spawn(async move { client.open_stream().await.finish().await })
}

/// Holds that one stream of `mistake` makes `/debug/health-async` wait for its end.
async fn stops_everything_with_one_stream(mistake: &str) {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start(mistake, &mock.url(), &["--blocking-threads", "40"]);
    let client = server.client();
    let idle = client.time(ASYNC).await;

    let streaming = stream_beside(&client);
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
async fn the_control_is_flat_with_many_times_more_streams_than_threads() {
    let loaded = loaded("none", 2, 60).await;
    for flat in [loaded.sync.usual(), loaded.r#async.usual()] {
        assert!(flat <= loaded.remaining / 5, "{flat:?} of {:?}", loaded.remaining);
    }
}
