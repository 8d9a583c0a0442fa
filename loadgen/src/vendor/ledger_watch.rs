//! The part of the vendor's ledger that belongs to one run.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use wire::ledger::Ledger;

use super::since::since;
use super::{Counts, LedgerError, counts, ledger};
use crate::http::Endpoint;

/// Interval between two requests of the counts during a run that is judged by them.
pub const WATCH_INTERVAL: Duration = Duration::from_millis(100);

/// What the requests of the counts found.
#[derive(Default)]
struct Samples {
    most_active: AtomicU64,
    /// Connections of these requests.
    connections: AtomicU64,
    /// The counts since the start, as of the last answer.
    latest: Mutex<Option<Counts>>,
}

/// Watches the vendor during a run and returns the part of its ledger that belongs to it: a vendor may have had
/// other runs before.
pub struct LedgerWatch {
    vendor: Endpoint,
    before: Ledger,
    seen: Arc<Samples>,
    _task: AbortOnDropHandle<()>,
}

/// The counts that a [`LedgerWatch`] has seen last.
#[derive(Clone)]
pub struct LatestCounts(Arc<Samples>);

impl LatestCounts {
    /// The counts as of the last answer, if there was one.
    #[must_use]
    pub fn get(&self) -> Option<Counts> {
        *self.0.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LedgerWatch {
    /// Starts watching, and asks for the counts again `interval` after each answer.
    ///
    /// # Errors
    /// [`LedgerError`] if there is no ledger at `vendor`.
    pub async fn start(vendor: Endpoint, interval: Duration) -> Result<Self, LedgerError> {
        let before = ledger(&vendor).await?;
        let seen = Arc::new(Samples::default());
        let (asked, noted, earlier) = (vendor.clone(), seen.clone(), before.clone());
        let task = tokio::spawn(async move {
            loop {
                noted.connections.fetch_add(1, Relaxed);
                // A failed request is repeated; only the last one must succeed.
                if let Ok(ledger) = counts(&asked).await {
                    let most_active = noted.most_active.fetch_max(ledger.active, Relaxed).max(ledger.active);
                    let latest = Counts::from(&since(&earlier, ledger, most_active));
                    *noted.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest);
                }
                sleep(interval).await;
            }
        });
        Ok(LedgerWatch { vendor, before, seen, _task: AbortOnDropHandle::new(task) })
    }

    /// The counts since [`LedgerWatch::start`], for whoever shows them.
    #[must_use]
    pub fn latest(&self) -> LatestCounts {
        LatestCounts(self.seen.clone())
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
