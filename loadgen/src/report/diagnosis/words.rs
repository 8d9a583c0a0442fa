//! A diagnosis in a few words.

use crate::numbers::{count, counted};
use crate::result::{Diagnosis, DiagnosisForm, DiagnosisKind};

/// What happened, and why if that is known: `Collapse at 40 streams: each stream holds a thread of a pool`.
pub(in crate::report) fn headline(diagnosis: &Diagnosis) -> String {
    let why = cause(diagnosis.kind, diagnosis.form);
    match (diagnosis.kind, diagnosis.collapse()) {
        // An answer that is short may be none that should stream.
        (DiagnosisKind::NotStreaming, _) if diagnosis.form.is_none() => "The answer does not stream".to_owned(),
        (DiagnosisKind::NotStreaming, _) => format!("The answer does not stream: {why}"),
        (DiagnosisKind::NoneFound, _) => format!("No limit found up to {}", streams(diagnosis.streams_held())),
        (DiagnosisKind::Inconclusive, Some(at)) => {
            format!("Collapse at {}, for a reason that was not found", streams(at))
        }
        (DiagnosisKind::Inconclusive, None) => "Inconclusive: no limit was found, and none is ruled out".to_owned(),
        (_, Some(at)) => format!("Collapse at {}: {why}", streams(at)),
        (_, None) => format!("Limited: {why}"),
    }
}

fn streams(number: u64) -> String {
    counted(number, "stream", "streams")
}

/// Why a server of this kind does not answer.
fn cause(kind: DiagnosisKind, form: Option<DiagnosisForm>) -> &'static str {
    use DiagnosisForm as Form;
    match (kind, form) {
        (DiagnosisKind::ThreadPoolHeld, Some(Form::WorkerPerRequest)) => "each stream holds a worker",
        (DiagnosisKind::ThreadPoolHeld, Some(Form::GrowingPool)) => "each stream holds a thread of a pool that grows",
        (DiagnosisKind::ThreadPoolHeld, _) => "each stream holds a thread of a pool",
        (DiagnosisKind::ThreadPoolPerChunk, _) => "each chunk waits for a thread of a pool",
        (DiagnosisKind::EventLoopBlocked, _) => "the event loop is blocked",
        (DiagnosisKind::ConnectionLimit, _) => "the server takes no more connections",
        (DiagnosisKind::Cpu, _) => "the processor is busy",
        (DiagnosisKind::UpstreamLimit, Some(Form::ClientPool)) => "streams wait for a place in a pool of the server",
        (DiagnosisKind::UpstreamLimit, Some(Form::Http2Streams)) => "streams wait for a place on a connection upstream",
        (DiagnosisKind::UpstreamLimit, _) => "the vendor, or the server in its place, takes no more streams",
        (DiagnosisKind::NotStreaming, Some(Form::Compressed)) => "compression holds it back",
        (DiagnosisKind::NotStreaming, Some(Form::ProxyBuffers)) => "a proxy holds it back",
        (DiagnosisKind::NotStreaming, _) => "the server collects it",
        (DiagnosisKind::NoneFound | DiagnosisKind::Inconclusive, _) => "the reason was not found",
    }
}

/// What the limit counts: one, and several.
fn unit(kind: DiagnosisKind, form: Option<DiagnosisForm>) -> (&'static str, &'static str) {
    match (kind, form) {
        (DiagnosisKind::ThreadPoolHeld, Some(DiagnosisForm::WorkerPerRequest)) => ("worker", "workers"),
        (DiagnosisKind::ThreadPoolHeld | DiagnosisKind::ThreadPoolPerChunk, _) => ("thread", "threads"),
        (DiagnosisKind::ConnectionLimit, _) => ("connection", "connections"),
        _ => ("stream", "streams"),
    }
}

/// The names of its facts, with their values.
pub(in crate::report) fn facts(diagnosis: &Diagnosis) -> Vec<(&'static str, String)> {
    let mut facts = vec![("kind", diagnosis.kind.as_str().to_owned())];
    facts.extend(diagnosis.form.map(|form| ("form", form.as_str().to_owned())));
    let (one, several) = unit(diagnosis.kind, diagnosis.form);
    facts.extend(diagnosis.limit.map(|limit| ("limit", counted(limit, one, several))));
    facts.push(("confidence", diagnosis.confidence.as_str().to_owned()));
    facts.extend(diagnosis.platform.as_ref().map(|platform| ("platform", platform.names.join(" or "))));
    facts
}

/// Whether the server recovered once the streams were closed; `None` if none were opened.
pub(in crate::report) fn recovery(diagnosis: &Diagnosis) -> Option<String> {
    if diagnosis.levels.is_empty() {
        return None;
    }
    Some(match diagnosis.recovered_after_s {
        Some(seconds) if seconds < 0.1 => "recovered at once when the streams were closed".to_owned(),
        Some(seconds) => format!("recovered {seconds:.1} s after the streams were closed"),
        None => "not recovered when the time ended, although the streams were closed".to_owned(),
    })
}

/// The cell of a diagnosis in the row of this name.
pub(in crate::report) fn row(diagnosis: &Diagnosis, name: &str) -> String {
    let cell = match name {
        "streams at collapse" => diagnosis.collapse().map(count),
        "most streams held" => Some(diagnosis.streams_held()).filter(|held| *held > 0).map(count),
        "recovered after" => diagnosis.recovered_after_s.map(|seconds| format!("{seconds:.1} s")),
        _ => facts(diagnosis).into_iter().find(|(fact, _)| *fact == name).map(|(_, text)| text),
    };
    cell.unwrap_or_else(|| "-".to_owned())
}
