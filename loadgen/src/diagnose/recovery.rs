//! Whether the server recovers when the streams are closed, and how long it takes.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::look::{Looking, look};
use super::meter::Meter;
use super::seen::{Seen, no_answer};

/// How long the server must be as when idle before it counts as recovered.
const CALM: Duration = Duration::from_millis(700);

/// Whether the server has recovered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recovery {
    /// The seconds it took; `None` if it had not by the end of the time.
    pub(super) after_s: Option<f64>,
    /// The status with which it rejected a stream although all checks were fast.
    pub(super) rejected: Option<u16>,
}

/// Waits until all probes are answered as when idle and a stream begins as one did then, at most until `until`.
pub(super) async fn wait(meter: &Meter<'_>, seen: &Seen, until: Instant) -> Recovery {
    let Meter { options, probes, origin, .. } = *meter;
    let (began, mut rejected) = (Instant::now(), None);
    while Instant::now() < until {
        sleep(CALM.min(until.saturating_duration_since(Instant::now()))).await;
        let from = origin.elapsed().saturating_sub(CALM);
        let calm = probes
            .since(from, CALM / 2)
            .iter()
            .all(|(name, level)| level.sent > 0 && no_answer(level) == 0 && level.latency_ms.p50 < seen.late_ms(name));
        if !calm {
            continue;
        }
        let took = began.elapsed().saturating_sub(CALM).as_secs_f64();
        let limit = (seen.idle.first_chunk * 4).max(Duration::from_secs(1)) + seen.idle.gap();
        let left = until.saturating_duration_since(Instant::now());
        let looking = Looking { head: limit.min(left), first_chunk: limit.min(left), rest: Duration::ZERO };
        let stream = look(&options.endpoint, &options.request, looking).await;
        let Ok(Some(stream)) = stream else { continue };
        if stream.is_success() && stream.chunks > 0 {
            return Recovery { after_s: Some(took), rejected: None };
        }
        rejected = Some(stream.status).filter(|status| *status >= 400);
    }
    Recovery { after_s: None, rejected }
}
