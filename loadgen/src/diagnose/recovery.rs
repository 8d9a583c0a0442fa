//! Whether the server recovers when the streams are closed, and how long it takes.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::look::{Looking, look};
use super::options::DiagnoseOptions;
use super::probes::Probes;
use super::seen::Seen;

/// How long the server must be as when idle before it counts as recovered.
const CALM: Duration = Duration::from_millis(700);

/// Waits until all probes are answered as when idle and a stream begins as one did then. Returns the seconds it took;
/// `None` if it has not by the end of the budget.
pub(super) async fn wait(options: &DiagnoseOptions, probes: &Probes, seen: &Seen, origin: Instant) -> Option<f64> {
    let began = Instant::now();
    let until = origin + options.budget;
    while Instant::now() < until {
        sleep(CALM.min(until.saturating_duration_since(Instant::now()))).await;
        let from = origin.elapsed().saturating_sub(CALM);
        let calm = probes.since(from, CALM / 2).iter().all(|(name, level)| {
            level.sent > 0 && level.timed_out + level.failed == 0 && level.latency_ms.p50 < seen.late_ms(name)
        });
        if !calm {
            continue;
        }
        let took = began.elapsed().saturating_sub(CALM).as_secs_f64();
        let limit = (seen.idle.first_chunk * 4).max(Duration::from_secs(1)) + seen.idle.gap();
        let left = until.saturating_duration_since(Instant::now());
        let looking = Looking { first_chunk: limit.min(left), rest: Duration::ZERO };
        let stream = look(&options.endpoint, &options.request, looking).await;
        if matches!(stream, Ok(Some(stream)) if stream.is_success() && stream.chunks > 0) {
            return Some(took);
        }
    }
    None
}
