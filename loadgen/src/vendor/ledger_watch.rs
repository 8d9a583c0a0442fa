//! The part of the vendor's ledger that belongs to one run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use wire::ledger::Ledger;

use super::{LedgerError, counts, ledger};
use crate::http::Endpoint;

/// Interval between two requests of the counts.
const INTERVAL: Duration = Duration::from_millis(100);

/// What the requests of the counts found.
#[derive(Default)]
struct Samples {
    most_active: AtomicU64,
    /// Connections of these requests.
    connections: AtomicU64,
}

/// Watches the vendor during a run and returns the part of its ledger that belongs to it: a vendor may have had
/// other runs before.
pub struct LedgerWatch {
    vendor: Endpoint,
    before: Ledger,
    seen: Arc<Samples>,
    _task: AbortOnDropHandle<()>,
}

impl LedgerWatch {
    /// Starts watching.
    ///
    /// # Errors
    /// [`LedgerError`] if there is no ledger at `vendor`.
    pub async fn start(vendor: Endpoint) -> Result<Self, LedgerError> {
        let before = ledger(&vendor).await?;
        let seen = Arc::new(Samples::default());
        let (asked, noted) = (vendor.clone(), seen.clone());
        let task = tokio::spawn(async move {
            loop {
                noted.connections.fetch_add(1, Relaxed);
                // A failed request is repeated; only the last one must succeed.
                if let Ok(ledger) = counts(&asked).await {
                    noted.most_active.fetch_max(ledger.active, Relaxed);
                }
                sleep(INTERVAL).await;
            }
        });
        Ok(LedgerWatch { vendor, before, seen, _task: AbortOnDropHandle::new(task) })
    }

    /// The ledger since [`LedgerWatch::start`].
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger can no longer be read.
    pub async fn finish(self) -> Result<Ledger, LedgerError> {
        let mut after = ledger(&self.vendor).await?;
        let own = self.seen.connections.load(Relaxed) + 1;
        after.connections_opened = after.connections_opened.saturating_sub(own);
        Ok(since(&self.before, after, self.seen.most_active.load(Relaxed)))
    }
}

/// The difference between `after` and `before`. If the vendor's overall peak is older than the run, the peak of the
/// run is the largest sampled value.
fn since(before: &Ledger, after: Ledger, most_active: u64) -> Ledger {
    if after.started < before.started {
        // It was reset or restarted during the run.
        return after;
    }
    let (started, refused) = (after.started - before.started, after.refused.saturating_sub(before.refused));
    let is_new_peak = after.peak_active > before.peak_active;
    let less = |now: u64, then: u64| now.saturating_sub(then);
    Ledger {
        active: after.active,
        peak_active: if is_new_peak { after.peak_active } else { most_active.max(after.active) },
        waiting: after.waiting,
        started,
        completed: less(after.completed, before.completed),
        completed_by_limit: less(after.completed_by_limit, before.completed_by_limit),
        cancelled: less(after.cancelled, before.cancelled),
        failed: less(after.failed, before.failed),
        refused,
        tokens_sent: less(after.tokens_sent, before.tokens_sent),
        tokens_after_disconnect: less(after.tokens_after_disconnect, before.tokens_after_disconnect),
        prompt_tokens: less(after.prompt_tokens, before.prompt_tokens),
        connections_opened: less(after.connections_opened, before.connections_opened),
        client_connections: less(after.client_connections, before.client_connections),
        requests_by_status: less_each(after.requests_by_status, &before.requests_by_status),
        unanswered: less(after.unanswered, before.unanswered),
        faults: less_each(after.faults, &before.faults),
        starts: newest(after.starts, started),
        refusals: newest(after.refusals, refused),
        attempts_by_request_id: less_each(after.attempts_by_request_id, &before.attempts_by_request_id),
    }
}

fn less_each(mut after: BTreeMap<String, u64>, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    after.iter_mut().for_each(|(key, count)| *count = count.saturating_sub(before.get(key).copied().unwrap_or(0)));
    after.retain(|_, count| *count > 0);
    after
}

fn newest(mut times: Vec<f64>, count: u64) -> Vec<f64> {
    times.drain(..times.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX)));
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(started: u64, active: u64, peak_active: u64) -> Ledger {
        let requests_by_status = BTreeMap::from([("200".to_owned(), started)]);
        let starts = (0..started).map(|start| start as f64).collect();
        Ledger { started, active, peak_active, requests_by_status, starts, ..Ledger::default() }
    }

    #[test]
    fn counts_and_peak_of_an_earlier_run_are_left_out() {
        let seen = since(&ledger(60, 0, 60), ledger(65, 0, 60), 5);
        assert_eq!((seen.peak_active, seen.started, seen.starts), (5, 5, vec![60.0, 61.0, 62.0, 63.0, 64.0]));
        assert_eq!(seen.requests_by_status, BTreeMap::from([("200".to_owned(), 5)]));
        assert!(since(&ledger(60, 0, 60), ledger(60, 0, 60), 0).requests_by_status.is_empty());
    }

    #[test]
    fn a_new_peak_is_exact_and_a_reset_starts_again() {
        assert_eq!(since(&ledger(60, 0, 60), ledger(140, 3, 80), 71).peak_active, 80);
        assert_eq!(since(&ledger(60, 0, 60), ledger(5, 0, 4), 3).peak_active, 4);
    }
}
