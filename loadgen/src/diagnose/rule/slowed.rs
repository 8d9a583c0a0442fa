//! All streams flow, and more slowly than one alone, or the probes are late.

use crate::diagnose::finding::{Finding, PID};
use crate::diagnose::seen::{HEALTH, Seen, UNKNOWN_PATH};
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind, DiagnosisLevel};

/// Share of the chunks that idle streams would have sent, from which on streams count as slowed down.
const SLOWED: f64 = 0.8;
/// Share of a processor that counts as a busy one.
const BUSY: f64 = 0.8;

pub(super) fn find(seen: &Seen, worst: &DiagnosisLevel) -> Finding {
    let gap = seen.idle.gap().as_secs_f64();
    let is_slowed = gap > 0.0 && worst.chunks_per_second * gap < SLOWED * worst.started as f64;
    // Chunks per second of one stream, times the time between two: how many chunks wait at once.
    let at_once = (worst.chunks_per_second * gap).round().max(1.0) as u64;
    let busy = worst.cpu_cores.map(|cores| cores >= BUSY);
    let free = seen.event_loop_is_free();
    let last_good = seen.last_good().streams;
    let mut finding = match (is_slowed, free, busy) {
        (true, true, _) if seen.hangs(HEALTH) => {
            Finding::new(DiagnosisKind::ThreadPoolPerChunk, None, Confidence::High).limit(at_once, at_once)
        }
        // A chunk that has arrived before its turn needs no wait, so the streams are not slowed down.
        (false, true, _) if seen.hangs(HEALTH) => {
            let corner = seen.collapse.as_ref().and_then(|collapse| collapse.corner);
            let finding = Finding::new(DiagnosisKind::ThreadPoolPerChunk, None, Confidence::High);
            match corner {
                Some(corner) => finding.limit(corner, corner),
                None => finding.at_most(Confidence::Medium, "a longer --budget, to find the number of threads"),
            }
        }
        (true, true, Some(false) | None) => {
            let finding = Finding::new(DiagnosisKind::UpstreamLimit, Some(DiagnosisForm::Vendor), Confidence::Medium)
                .limit(at_once, last_good);
            finding.at_most(Confidence::Low, "the vendor's own figures: it may be what is slow")
        }
        (_, false, Some(true)) => Finding::new(DiagnosisKind::Cpu, None, Confidence::High).limit(last_good, last_good),
        (_, false, Some(false)) if seen.hangs(UNKNOWN_PATH) => {
            Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High).limit(at_once, last_good.max(1))
        }
        (true, false, None) if seen.hangs(UNKNOWN_PATH) && at_once <= 2 => {
            // A busy processor slows all streams too, but not to the pace of one.
            let finding = Finding::new(DiagnosisKind::EventLoopBlocked, None, Confidence::High);
            finding.limit(at_once, last_good.max(1)).at_most(Confidence::Medium, PID)
        }
        _ => {
            let mut finding = Finding::inconclusive();
            finding.surer_with = Some(PID);
            finding
        }
    };
    finding.evidence.push(format!(
        "{} streams got {:.0} chunks per second together, of {:.0} at the pace of one alone",
        worst.started,
        worst.chunks_per_second,
        if gap > 0.0 { worst.started as f64 / gap } else { 0.0 },
    ));
    finding
}
