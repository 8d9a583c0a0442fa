//! How many streams a session can hold: as many as this machine has descriptors for.

use serde::Serialize;

use super::SessionError;
use super::check::CHECKS_MAX;
use super::programs::probe_plan;
use super::singles::SINGLES;
use crate::descriptors::{needed, raise_descriptor_limit};
use crate::numbers::count;

/// The most streams of each arm, whatever the machine allows.
pub const STREAMS_MAX: u32 = 5_000;

/// How many streams each arm can hold, and why not more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamsLimit {
    /// The most.
    pub max: u32,
    /// What limits them, and what can be done about it.
    pub reason: String,
}

impl StreamsLimit {
    /// What this machine allows, after its limit of descriptors has been raised as far as it can be.
    pub(super) fn of_this_machine() -> Self {
        Self::with_descriptors(raise_descriptor_limit())
    }

    fn with_descriptors(limit: u64) -> Self {
        // Both arms need as many, and what each needs grows by the same number with each stream.
        let idle = descriptors(0);
        let affordable = limit.saturating_sub(idle) / (descriptors(1) - idle);
        match u32::try_from(affordable) {
            Ok(max) if max < STREAMS_MAX => {
                let (limit, most) = (count(limit), count(STREAMS_MAX.into()));
                let enough = descriptors(STREAMS_MAX);
                let reason = format!(
                    "A process here may open {limit} file descriptors, and each stream needs one for each arm, and two in \
                     its server. `ulimit -n {enough}` before the start allows {most} streams."
                );
                StreamsLimit { max, reason }
            }
            _ => StreamsLimit {
                max: STREAMS_MAX,
                reason: "By hand, no more are opened; `loadgen run` opens as many as there are descriptors.".to_owned(),
            },
        }
    }

    /// Whether `asked` streams can be held.
    pub(super) fn check(&self, asked: u32) -> Result<(), SessionError> {
        let StreamsLimit { max, ref reason } = *self;
        if asked <= max { Ok(()) } else { Err(SessionError::TooManyStreams { asked, max, reason: reason.clone() }) }
    }
}

/// Descriptors that each process needs where both arms hold this many streams, with all that can be done by hand beside
/// them.
fn descriptors(streams: u32) -> u64 {
    let open = u64::from(streams) + (SINGLES + CHECKS_MAX) as u64;
    needed(&[open, open], probe_plan().waiting_max())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_is_allowed_has_descriptors_and_one_more_has_not() {
        for limit in [1_024, 4_096, 10_000] {
            let StreamsLimit { max, .. } = StreamsLimit::with_descriptors(limit);
            assert!(descriptors(max) <= limit && limit < descriptors(max + 1), "{limit}: {max}");
        }
        let small = StreamsLimit::with_descriptors(1_024);
        assert!((100..400).contains(&small.max), "45 must be possible: {small:?}");
        assert!(small.reason.contains("1,024 file descriptors"), "{small:?}");
        let refused = small.check(5_000).unwrap_err().to_string();
        assert!(refused.contains("5,000 streams") && refused.contains(&format!("at most {}", small.max)), "{refused}");
        assert_eq!(StreamsLimit::with_descriptors(256).max, 0);
        assert_eq!(StreamsLimit::with_descriptors(1_000_000).max, STREAMS_MAX);
        assert!(StreamsLimit::with_descriptors(descriptors(STREAMS_MAX)).max == STREAMS_MAX, "as the reason says");
    }
}
