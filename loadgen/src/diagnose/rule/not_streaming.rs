//! The answer of one stream to an idle server comes all at once.

use std::time::Duration;

use crate::diagnose::finding::Finding;
use crate::diagnose::seen::{IdleStream, Seen};
use crate::numbers::{in_millis, millis};
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind};

/// By how much fewer chunks a second come of a compressed answer that is held back.
const HELD_BACK: f64 = 4.0;
/// An answer that is complete sooner was hardly collected: there may have been nothing to wait for.
const AT_ONCE: Duration = Duration::from_millis(250);
const LONGER: &str = "a longer --budget: the answer had begun and had not ended";

pub(super) fn find(seen: &Seen) -> Option<Finding> {
    let idle = &seen.idle;
    let other = idle.other_encoding.as_deref();
    let plain = [Some(idle), other].into_iter().flatten().find(|stream| !stream.is_compressed());
    if let (Some(compressed), Some(plain)) = (idle.compressed(), plain)
        && plain.streams()
        && (!compressed.streams() || compressed.rate() * HELD_BACK < plain.rate())
    {
        let finding = at_once(compressed, DiagnosisForm::Compressed, Confidence::High);
        // One that was flushed late, or is slower this time, has come this far as well.
        let is_seen = compressed.ended || compressed.chunks > 1;
        let surer = "a longer stream: it had not ended when it was no longer looked at";
        return Some(if is_seen { finding } else { finding.at_most(Confidence::Medium, surer) });
    }
    if idle.streams() {
        return None;
    }
    if idle.ended && idle.took < AT_ONCE {
        return Some(whole_at_once(idle));
    }
    if has_only_begun(idle) {
        return Some(only_begun(idle));
    }
    let finding = by_headers(idle);
    let is_one_of_more = !idle.ended && idle.chunks < 2;
    Some(if is_one_of_more { finding.at_most(Confidence::Medium, LONGER) } else { finding })
}

/// What collects an answer that came at once, as far as its headers say.
fn by_headers(idle: &IdleStream) -> Finding {
    if is_proxied(idle) {
        let finding = at_once(idle, DiagnosisForm::ProxyBuffers, Confidence::Medium);
        finding.surer("the same against the server's own port, without the proxy")
    } else if idle.comes_in_blocks() {
        let finding = at_once(idle, DiagnosisForm::Collected, Confidence::Medium);
        finding.surer("the same against the server's own port, if anything is in between")
    } else if is_event_stream(idle) {
        at_once(idle, DiagnosisForm::Collected, Confidence::High)
    } else {
        // An API that streams only when it is asked to answers like this too.
        let finding = at_once(idle, DiagnosisForm::Collected, Confidence::Medium);
        finding.surer("a request that asks for a stream, such as \"stream\": true in --body")
    }
}

/// Whether an answer that has not ended has been silent for longer than it took to begin: a model that thinks before it
/// writes sends a first event at once, too.
fn has_only_begun(idle: &IdleStream) -> bool {
    let silent = idle.took.saturating_sub(idle.first_chunk + idle.lasted);
    !idle.ended && idle.chunks > 0 && !idle.comes_in_blocks() && silent > idle.first_chunk
}

fn only_begun(idle: &IdleStream) -> Finding {
    let mut finding = Finding::inconclusive();
    let last = idle.first_chunk + idle.lasted;
    let [last, took] = [last, idle.took].map(|time| millis(in_millis(time)));
    finding
        .evidence
        .push(format!("the answer began, but nothing more of it came from {last} to {took} after the request"));
    finding.surer(LONGER)
}

fn whole_at_once(idle: &IdleStream) -> Finding {
    let mut finding = Finding::new(DiagnosisKind::NotStreaming, None, Confidence::Medium);
    let media_type = match idle.header("content-type") {
        "" => "without a media type",
        media_type => media_type,
    };
    let took = millis(in_millis(idle.took));
    finding.evidence.push(format!("the whole answer, {media_type}, was there after {took}, in one piece"));
    finding.surer("a request that takes the server some seconds to answer")
}

fn at_once(stream: &IdleStream, form: DiagnosisForm, confidence: Confidence) -> Finding {
    let mut finding = Finding::new(DiagnosisKind::NotStreaming, Some(form), confidence);
    let (first, lasted) = (millis(in_millis(stream.first_chunk)), millis(in_millis(stream.lasted)));
    finding.evidence.push(match stream.chunks {
        chunks if stream.comes_in_blocks() => {
            let gap = millis(in_millis(stream.gap()));
            format!(
                "{} events came in {chunks} blocks, the first after {first} and then one every {gap}",
                stream.events
            )
        }
        0 => format!("no byte of the body came within {first}"),
        1 if stream.ended => format!("the whole answer came in one piece, after {first}"),
        1 => {
            format!("one piece came after {first}, and nothing more within {}", millis(in_millis(stream.took)))
        }
        chunks => format!("the first byte came after {first}, and all {chunks} pieces within {lasted} of it"),
    });
    for name in ["content-type", "content-encoding", "server", "via"] {
        let value = stream.header(name);
        if !value.is_empty() {
            finding.evidence.push(format!("the answer has {name}: {value}"));
        }
    }
    finding
}

/// Whether the answer says that a proxy is in between.
fn is_proxied(idle: &IdleStream) -> bool {
    const PROXIES: [&str; 5] = ["nginx", "openresty", "cloudflare", "haproxy", "envoy"];
    let server = idle.header("server").to_ascii_lowercase();
    !idle.header("via").is_empty() || PROXIES.iter().any(|proxy| server.starts_with(proxy))
}

fn is_event_stream(idle: &IdleStream) -> bool {
    let kind = idle.header("content-type");
    ["event-stream", "ndjson", "json-seq", "jsonl"].iter().any(|stream| kind.contains(stream))
}
