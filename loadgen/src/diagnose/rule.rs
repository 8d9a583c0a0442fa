//! The rule: from what was seen to the kind of limit. Pure, so that it can be tested without a server.
//!
//! Each kind has a signature: which probes hang while streams wait, and whether all streams flow, flow more slowly, or
//! wait for others to end. A number that is somebody's default makes a finding surer; it never makes one.

mod pool;
mod slowed;

use crate::numbers::in_millis;
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind};

use super::seen::{ASYNC_HEALTH, HEALTH, KEPT_CONNECTION, Seen, UNKNOWN_PATH};

/// What limits a server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) kind: DiagnosisKind,
    pub(super) form: Option<DiagnosisForm>,
    pub(super) limit: Option<u64>,
    pub(super) streams_at_collapse: Option<u64>,
    pub(super) confidence: Confidence,
    /// What would make it surer.
    pub(super) surer_with: Option<&'static str>,
    /// What was seen, in sentences.
    pub(super) evidence: Vec<String>,
}

impl Finding {
    fn new(kind: DiagnosisKind, form: Option<DiagnosisForm>, confidence: Confidence) -> Self {
        Finding {
            kind,
            form,
            limit: None,
            streams_at_collapse: None,
            confidence,
            surer_with: None,
            evidence: Vec::new(),
        }
    }

    fn limit(self, limit: u64, streams: u64) -> Self {
        Finding { limit: Some(limit), streams_at_collapse: Some(streams), ..self }
    }

    /// Less sure, because of what would make it surer.
    fn at_most(self, confidence: Confidence, surer_with: &'static str) -> Self {
        if self.confidence <= confidence {
            return self;
        }
        Finding { confidence, surer_with: Some(surer_with), ..self }
    }
}

const PID: &str = "--pid PID of the server, for its threads and its processor time";

/// What limits the server.
pub(super) fn find(seen: &Seen) -> Finding {
    if let Some(finding) = not_streaming(seen) {
        return finding;
    }
    let Some(collapse) = &seen.collapse else {
        return Finding::new(DiagnosisKind::NoneFound, None, Confidence::High);
    };
    let Some(worst) = seen.worst() else { return inconclusive() };
    if fails_at_connecting(seen) {
        connection_limit(seen)
    } else if worst.waiting + worst.lost > 0 && worst.started < worst.streams {
        pool::find(seen, collapse, worst)
    } else {
        slowed::find(seen, worst)
    }
}

fn inconclusive() -> Finding {
    Finding::new(DiagnosisKind::Inconclusive, None, Confidence::Low)
}

/// The answer of one stream to an idle server comes all at once.
fn not_streaming(seen: &Seen) -> Option<Finding> {
    let (idle, compressed) = (&seen.idle, seen.idle.compressed.as_deref());
    let when_compressed = compressed.filter(|compressed| !compressed.streams());
    let form = match when_compressed {
        Some(_) if idle.streams() => DiagnosisForm::Compressed,
        _ if idle.streams() => return None,
        _ if is_proxied(idle) => DiagnosisForm::ProxyBuffers,
        _ => DiagnosisForm::Collected,
    };
    let confidence = if form == DiagnosisForm::ProxyBuffers { Confidence::Medium } else { Confidence::High };
    let late = when_compressed.filter(|_| form == DiagnosisForm::Compressed).unwrap_or(idle);
    let mut finding = Finding::new(DiagnosisKind::NotStreaming, Some(form), confidence);
    finding.evidence.push(format!(
        "the first byte came after {}, and all {} chunks within {} of it",
        crate::numbers::millis(in_millis(late.first_chunk)),
        late.chunks,
        crate::numbers::millis(in_millis(late.lasted)),
    ));
    if form == DiagnosisForm::ProxyBuffers {
        finding.surer_with = Some("the same against the server's own port, without the proxy");
    }
    Some(finding)
}

/// Whether the answer says that a proxy is in between.
fn is_proxied(idle: &super::seen::IdleStream) -> bool {
    !idle.header("via").is_empty() || idle.header("server").starts_with("nginx")
}

/// New connections get no answer while one that is kept does.
fn fails_at_connecting(seen: &Seen) -> bool {
    seen.hangs(UNKNOWN_PATH) && seen.hangs(HEALTH) && seen.is_fast(KEPT_CONNECTION)
}

fn connection_limit(seen: &Seen) -> Finding {
    let Some(worst) = seen.worst() else { return inconclusive() };
    // A stream that ends makes room for whoever has waited longest, which may be a probe: so the most is the limit.
    let looks = seen.collapse.iter().flat_map(|collapse| &collapse.started).copied();
    let most = seen.levels.iter().map(|level| level.started).chain(looks).max().unwrap_or(worst.started);
    // One more connection is the one that is kept.
    let finding = Finding::new(DiagnosisKind::ConnectionLimit, None, Confidence::High);
    let mut finding = finding.limit(most + 1, most);
    finding
        .evidence
        .push(format!("with {most} streams, new connections got no answer, and one that was open before did",));
    finding
}

/// Whether the asynchronous health check, where there is one, and a path that does not exist are both fast.
fn event_loop_is_free(seen: &Seen) -> bool {
    let has_async = seen.worst().is_some_and(|level| level.probes.contains_key(ASYNC_HEALTH));
    seen.is_fast(UNKNOWN_PATH) && (!has_async || seen.is_fast(ASYNC_HEALTH))
}

impl Finding {
    /// With what was seen.
    pub(super) fn told(self, seen: Seen, recovered_after_s: Option<f64>) -> crate::result::Diagnosis {
        crate::result::Diagnosis {
            kind: self.kind,
            form: self.form,
            limit: self.limit,
            streams_at_collapse: self.streams_at_collapse,
            confidence: self.confidence,
            surer_with: self.surer_with.map(str::to_owned),
            finding: String::new(),
            evidence: self.evidence,
            advice: String::new(),
            lab: None,
            levels: seen.levels,
            recovered_after_s,
        }
    }
}
