//! The mock vendor's ledger, read over HTTP: the witness of what a server really did.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use wire::ledger::Ledger;

use crate::http::{self, Endpoint, HttpError};

/// Why there is no ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// An answer that is no ledger.
    #[error("the answer is no ledger: {0}")]
    NotALedger(#[from] serde_json::Error),
}

/// Reads `GET /debug/stats` of the mock at `vendor`.
///
/// # Errors
/// [`LedgerError`]. A witness that does not speak within five seconds is none.
pub async fn ledger(vendor: &Endpoint) -> Result<Ledger, LedgerError> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let reading = async {
        let request = vendor.request("GET", "/debug/stats", &[], Bytes::new());
        let mut exchange = http::send(vendor, request).await?;
        let body = exchange.response.body_mut().collect().await.map_err(HttpError::Body)?;
        Ok(serde_json::from_slice(&body.to_bytes())?)
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or(Err(LedgerError::TimedOut(PATIENCE)))
}
