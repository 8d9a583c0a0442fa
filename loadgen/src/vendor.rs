//! The mock vendor's ledger, read over HTTP: what a server really did.

mod counts;
mod ledger_watch;
mod since;

use std::time::Duration;

use wire::ledger::Ledger;

use crate::http::{self, Endpoint, HttpError};

pub use counts::Counts;
pub use ledger_watch::{LatestCounts, LedgerWatch, WATCH_INTERVAL};
pub use since::since;

/// Largest ledger in bytes (16 MiB): its lists at their longest.
const LEDGER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why the ledger could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// An answer that is not a ledger.
    #[error("the answer is not a ledger: {0}")]
    NotALedger(#[from] serde_json::Error),
}

/// Reads `GET /debug/stats` of the mock at `vendor`.
///
/// # Errors
/// [`LedgerError`], also if there is no answer within five seconds.
pub async fn ledger(vendor: &Endpoint) -> Result<Ledger, LedgerError> {
    read(vendor, "/debug/stats").await
}

/// The ledger without the lists of recent starts, for frequent requests.
///
/// # Errors
/// Those of [`ledger`].
pub async fn counts(vendor: &Endpoint) -> Result<Ledger, LedgerError> {
    read(vendor, "/debug/stats?recent=0").await
}

async fn read(vendor: &Endpoint, path: &str) -> Result<Ledger, LedgerError> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    let asking = http::get(vendor, path, LEDGER_BYTES_MAX);
    let (_, body) = tokio::time::timeout(TIMEOUT, asking).await.map_err(|_| LedgerError::TimedOut(TIMEOUT))??;
    Ok(serde_json::from_slice(&body)?)
}
