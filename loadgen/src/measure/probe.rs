//! A kind of health probe, and one request of it.

use std::sync::Arc;
use std::time::Duration;

use crate::http::{self, Endpoint, HttpError};

/// The probes of a server.
#[derive(Debug, Clone)]
pub struct ProbePlan {
    /// The kinds, by name.
    pub kinds: Vec<ProbeKind>,
    /// Probes per second, of each kind.
    pub rate: f64,
    /// Time after which a probe counts as timed out, from when it was due.
    pub timeout: Duration,
}

impl ProbePlan {
    /// The most probes that have no answer at once: all that are due within the time-out.
    #[must_use]
    pub fn waiting_max(&self) -> u64 {
        (self.rate * self.timeout.as_secs_f64()).ceil() as u64 * self.kinds.len() as u64
    }
}

/// One kind of probe.
#[derive(Debug, Clone)]
pub struct ProbeKind {
    /// Its name in results: `health_sync`.
    pub name: String,
    /// The path: `/debug/health-sync`.
    pub path: String,
    /// A JSON pointer to a field of the answer to record: `/status`.
    pub json_field: Option<String>,
    /// The headers that it is sent with, beside its own.
    pub headers: Vec<(String, String)>,
    /// Whether a rejection is an answer too, as from a path that does not exist.
    pub takes_rejections: bool,
}

impl ProbeKind {
    /// A probe of `path` that ignores the content of the answer.
    #[must_use]
    pub fn new(name: &str, path: &str) -> Self {
        ProbeKind {
            name: name.into(),
            path: path.into(),
            json_field: None,
            headers: Vec::new(),
            takes_rejections: false,
        }
    }

    /// The same, for a path of which a rejection is an answer too.
    #[must_use]
    pub fn and_takes_rejections(self) -> Self {
        ProbeKind { takes_rejections: true, ..self }
    }

    /// The same, with these headers.
    #[must_use]
    pub fn with_headers(self, headers: &[(String, String)]) -> Self {
        ProbeKind { headers: headers.to_vec(), ..self }
    }

    /// Whether an answer with this HTTP status is what was asked for. One that says that there were too many requests
    /// never is.
    #[must_use]
    pub fn takes(&self, status: u16) -> bool {
        const TOO_MANY_REQUESTS: u16 = 429;
        let is_rejection = (400..500).contains(&status) && status != TOO_MANY_REQUESTS;
        (200..300).contains(&status) || (self.takes_rejections && is_rejection)
    }

    /// The default pair: a check that needs a thread of the pool, and one that the event loop serves.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![Self::new("health_sync", "/debug/health-sync"), Self::new("health_async", "/debug/health-async")]
    }
}

/// The answer to a health check.
#[derive(Debug)]
pub struct HealthAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The value of the field that the kind records, if present.
    pub field_value: Option<Arc<str>>,
}

/// Sends one probe of `kind` on a new connection and reads the answer to its end.
///
/// # Errors
/// [`HttpError`] if there is no complete answer. There is no time-out; the caller sets one.
pub async fn get_health(endpoint: &Endpoint, kind: &ProbeKind) -> Result<HealthAnswer, HttpError> {
    /// Kept of a body with a field to record; nothing is kept of others.
    const BYTES_KEPT: usize = 64 * 1024;
    let keep = if kind.json_field.is_some() { BYTES_KEPT } else { 0 };
    let (status, body) = http::get_with_headers(endpoint, &kind.path, &kind.headers, keep).await?;
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
