//! The rule: from what was seen to the kind of limit. Pure, so that it can be tested without a server.
//!
//! Each kind has a signature: which probes hang while streams wait, and whether all streams flow, flow more slowly, or
//! wait for others to end. A number that is somebody's default makes a finding surer; it never makes one.

mod cut_short;
mod pool;
mod slowed;

use std::time::Duration;

use crate::numbers::in_millis;
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind};

use super::finding::Finding;
use super::seen::{HEALTH, IdleStream, KEPT_CONNECTION, Seen, UNKNOWN_PATH};

/// What limits the server.
pub(super) fn find(seen: &Seen) -> Finding {
    if let Some(finding) = not_streaming(seen) {
        return finding;
    }
    if let Some(finding) = cut_short::find(seen) {
        return finding;
    }
    let Some(collapse) = &seen.collapse else {
        return Finding::new(DiagnosisKind::NoneFound, None, Confidence::High);
    };
    let Some(worst) = seen.worst() else { return Finding::inconclusive() };
    if fails_at_connecting(seen) {
        connection_limit(seen)
    } else if worst.waiting + worst.lost > 0 && worst.started < worst.streams {
        pool::find(seen, collapse, worst)
    } else {
        slowed::find(seen, worst)
    }
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
    let late = when_compressed.filter(|_| form == DiagnosisForm::Compressed).unwrap_or(idle);
    let is_whole_at_once = idle.ended && idle.took < AT_ONCE && form == DiagnosisForm::Collected;
    if is_whole_at_once {
        return Some(whole_at_once(idle));
    }
    let confidence = if form == DiagnosisForm::ProxyBuffers { Confidence::Medium } else { Confidence::High };
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

/// An answer that is complete sooner was hardly collected: there may have been nothing to wait for.
const AT_ONCE: Duration = Duration::from_millis(250);

fn whole_at_once(idle: &IdleStream) -> Finding {
    let mut finding = Finding::new(DiagnosisKind::NotStreaming, None, Confidence::Medium);
    let media_type = match idle.header("content-type") {
        "" => "without a media type",
        media_type => media_type,
    };
    finding.evidence.push(format!(
        "the whole answer, {media_type}, was there after {}, in one piece",
        crate::numbers::millis(in_millis(idle.took)),
    ));
    finding.surer_with = Some("a request that takes the server some seconds to answer");
    finding
}

/// Whether the answer says that a proxy is in between.
fn is_proxied(idle: &IdleStream) -> bool {
    !idle.header("via").is_empty() || idle.header("server").starts_with("nginx")
}

/// New connections get no answer while one that is kept does.
fn fails_at_connecting(seen: &Seen) -> bool {
    seen.hangs(UNKNOWN_PATH) && seen.hangs(HEALTH) && seen.is_fast(KEPT_CONNECTION)
}

fn connection_limit(seen: &Seen) -> Finding {
    let Some(worst) = seen.worst() else { return Finding::inconclusive() };
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
