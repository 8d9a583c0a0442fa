//! A kind of health probe, and one request of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::http::{self, Endpoint, HttpError};

/// Which probes a server gets, and how often.
#[derive(Debug, Clone)]
pub struct ProbePlan {
    /// The kinds, by name.
    pub kinds: Vec<ProbeKind>,
    /// Probes of each kind a second.
    pub rate: f64,
    /// From when it was due, a probe that has no answer by then counts as timed out.
    pub timeout: Duration,
}

/// One kind of probe.
#[derive(Debug, Clone)]
pub struct ProbeKind {
    /// Its name in results: `health_sync`.
    pub name: String,
    /// What it gets: `/debug/health-sync`.
    pub path: String,
    /// A field of the JSON answer to keep, as a JSON pointer: `/status`.
    pub json_field: Option<String>,
}

impl ProbeKind {
    /// A probe that gets `path` and does not look into the answer.
    #[must_use]
    pub fn new(name: &str, path: &str) -> Self {
        ProbeKind { name: name.into(), path: path.into(), json_field: None }
    }

    /// The source's pair: a route that the thread pool serves, and one that the event loop serves.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![Self::new("health_sync", "/debug/health-sync"), Self::new("health_async", "/debug/health-async")]
    }
}

/// What a health check was answered.
#[derive(Debug)]
pub struct HealthAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The field of the body that the kind asks for, where it is there.
    pub field_value: Option<Arc<str>>,
}

/// Asks for `kind` once, on a connection of its own, and reads the answer to its end.
///
/// # Errors
/// [`HttpError`] where there is no whole answer. There is no time-out: the caller has one.
pub async fn get_health(endpoint: &Endpoint, kind: &ProbeKind) -> Result<HealthAnswer, HttpError> {
    /// Of a body that is looked into; of others nothing is kept.
    const BYTES_KEPT: usize = 64 * 1024;
    let keep = if kind.json_field.is_some() { BYTES_KEPT } else { 0 };
    let (status, body) = http::fetch(endpoint, endpoint.request("GET", &kind.path, &[], Bytes::new()), keep).await?;
    Ok(HealthAnswer { status, field_value: kind.json_field.as_deref().and_then(|pointer| field(&body, pointer)) })
}

/// The field of a JSON body, as text of bounded length.
fn field(body: &[u8], pointer: &str) -> Option<Arc<str>> {
    const CHARS_MAX: usize = 40;
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let value = body.pointer(pointer)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(text.chars().take(CHARS_MAX).collect::<String>().into())
}
