//! What each mistake does besides its symptom. The symptom is measured by its lab, beside the control.

mod blocked_executor;
#[cfg(debug_assertions)]
mod blocking_client;
mod buffered_stream;
mod client_pool;
mod coordinated_omission;
mod db_held_during_call;
mod hidden_pool_users;
mod liveness_cascade;
mod lost_cleanup;
mod more_threads;
mod no_client_timeout;
mod one_error_for_all;
mod pool_exhaustion;
mod pool_per_chunk;
mod queue_timeout_covers_call;
mod rapid_sequence;
mod raw_sse;
mod readiness_cascade;
mod rollout;
mod slow_reader;
mod total_timeout_on_stream;
mod undrained_shutdown;

use std::time::Duration;

use mock_llm::MockLlm;
use tokio::task::JoinHandle;

use crate::support::{Client, FinishedStream};

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

    /// The 90th percentile: on a busy machine single requests are late.
    fn usual(&self) -> Duration {
        self.0[self.0.len() * 9 / 10]
    }
}

/// Reads a stream to its end in the background.
fn spawn_stream(client: &Client) -> JoinHandle<FinishedStream> {
    let client = client.clone();
    tokio::spawn(async move { client.open_stream().await.finish().await })
}
