//! Non-streaming calls, all sent at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::http::{self, Endpoint};
use crate::measure::Latencies;
use crate::result::CallStats;

/// The request of every call of a set.
#[derive(Debug, Clone)]
pub struct CallPlan {
    /// The server.
    pub endpoint: Endpoint,
    /// `POST`, `GET`.
    pub method: String,
    /// `/llm`.
    pub path: String,
    /// Headers besides `Host` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Time after which each client disconnects, if it does.
    pub disconnect_after: Option<Duration>,
}

/// Counts of a set of calls, shared by all of them.
#[derive(Debug, Default)]
pub struct CallLog(Mutex<Tally>);

#[derive(Debug, Default)]
struct Tally {
    requested: u64,
    ok: u64,
    failed: u64,
    latencies: Latencies,
}

impl CallLog {
    /// The figures so far. Active calls count as disconnected.
    #[must_use]
    pub fn stats(&self) -> CallStats {
        let tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        CallStats {
            requested: tally.requested,
            ok: tally.ok,
            failed: tally.failed,
            disconnected: tally.requested - tally.ok - tally.failed,
            latency_ms: tally.latencies.quantiles(),
        }
    }

    fn tally(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Active calls. Dropped, it closes those without an answer.
#[derive(Default)]
pub struct CallSet(JoinSet<()>);

impl CallSet {
    /// Makes `count` calls by `plan`, all at once, and counts them in `log`.
    pub fn open(&mut self, count: u32, plan: &CallPlan, log: &Arc<CallLog>) {
        let due = Instant::now();
        log.tally(|tally| tally.requested += u64::from(count));
        for _ in 0..count {
            self.0.spawn(call(plan.clone(), due, log.clone()));
        }
    }

    /// Waits until all calls have ended, at most for `limit`.
    pub async fn wait(&mut self, limit: Duration) {
        let all = async { while self.0.join_next().await.is_some() {} };
        // The others are closed later.
        let _ = timeout(limit, all).await;
    }

    /// Closes the calls without an answer.
    pub async fn disconnect(&mut self) {
        self.0.shutdown().await;
    }
}

async fn call(plan: CallPlan, due: Instant, log: Arc<CallLog>) {
    let request = plan.endpoint.request(&plan.method, &plan.path, &plan.headers, plan.body);
    let asking = http::fetch(&plan.endpoint, request, 0);
    let answer = match plan.disconnect_after {
        Some(after) => match tokio::time::timeout_at((due + after).into(), asking).await {
            Ok(answer) => answer,
            Err(_) => return,
        },
        None => asking.await,
    };
    log.tally(|tally| match answer {
        Ok((200..=299, _)) => {
            tally.ok += 1;
            tally.latencies.record(due.elapsed());
        }
        _ => tally.failed += 1,
    });
}
