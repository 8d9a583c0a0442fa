//! One stream of an idle server.

use std::collections::BTreeMap;
use std::time::Duration;

/// One stream of an idle server.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdleStream {
    /// The HTTP status of its answer.
    pub(crate) status: u16,
    /// Its headers, with names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// Chunks before the one with which it begins: some APIs send a role, or a comment, long before the first token.
    pub(crate) preamble: u64,
    /// From the request to the first chunk after the preamble.
    pub(crate) first_chunk: Duration,
    /// From that chunk to the last one that was seen.
    pub(crate) lasted: Duration,
    /// Chunks that were seen, from that chunk on.
    pub(crate) chunks: u64,
    /// The longest time between two of them.
    pub(crate) longest_gap: Duration,
    /// Standard deviation of the time between two of them.
    pub(crate) gap_deviation: Duration,
    /// Whether it ended while it was watched.
    pub(crate) ended: bool,
    /// Whether it ended without being complete.
    pub(crate) broke_off: bool,
    /// From the request to its end, or as long as it was watched.
    pub(crate) took: Duration,
    /// The first bytes of its body, as far as they were kept.
    pub(crate) beginning: Vec<u8>,
    /// Server-sent events in it, or lines that look like their data.
    pub(crate) events: u64,
    /// The same request for a compressed answer, where that was another one; or for one that is not compressed, where the
    /// request asked for a compressed one.
    pub(crate) other_encoding: Option<Box<IdleStream>>,
}

impl IdleStream {
    /// Sets what the times of its chunks say, each since the request.
    pub(crate) fn set_times(&mut self, chunks: &[Duration], seen_for: Duration) {
        let gaps: Vec<Duration> = chunks.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let preamble = preamble(&gaps);
        let begins = chunks.get(preamble).copied();
        self.took = seen_for;
        self.preamble = preamble as u64;
        self.first_chunk = begins.unwrap_or(seen_for);
        self.chunks = (chunks.len() - preamble) as u64;
        self.lasted = chunks.last().zip(begins).map_or(Duration::ZERO, |(last, first)| last.saturating_sub(first));
        let gaps = gaps.get(preamble..).unwrap_or_default();
        self.longest_gap = gaps.iter().max().copied().unwrap_or_default();
        let mean = self.gap().as_secs_f64();
        let squares: f64 = gaps.iter().map(|gap| (gap.as_secs_f64() - mean).powi(2)).sum();
        self.gap_deviation = Duration::from_secs_f64((squares / gaps.len().max(1) as f64).sqrt());
    }

    /// Whether its status says that it is what was asked for.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it was seen to its end, with nothing missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.ended && !self.broke_off
    }

    /// Whether it is too short for the corner: many streams end in the time for which a number of them is held there.
    pub(crate) fn is_short(&self) -> bool {
        const LONG: Duration = Duration::from_secs(4);
        self.ended && self.lasted < LONG
    }

    /// Mean time between two chunks.
    pub(crate) fn gap(&self) -> Duration {
        self.lasted / u32::try_from(self.chunks.saturating_sub(1).max(1)).unwrap_or(u32::MAX)
    }

    /// Whether its chunks come one after another, and not all at once at the end.
    pub(crate) fn streams(&self) -> bool {
        const SURELY: Duration = Duration::from_millis(500);
        const ONE_WRITE: Duration = Duration::from_millis(5);
        // One chunk at once and one at the end is what a layer makes that collects the rest.
        let comes_in_parts = self.chunks > 2 || (self.chunks == 2 && !self.ended);
        let is_spread = self.lasted >= SURELY || (self.lasted > self.first_chunk / 4 && self.lasted > ONE_WRITE);
        comes_in_parts && is_spread && !self.comes_in_blocks()
    }

    /// Whether many of its events come at once, and nothing for a second or more between: a buffer is passed on when it is
    /// full.
    pub(crate) fn comes_in_blocks(&self) -> bool {
        const EVENTS: u64 = 6;
        const PAUSE: Duration = Duration::from_secs(1);
        self.chunks > 1 && self.gap() >= PAUSE && self.events >= EVENTS * (self.chunks + self.preamble)
    }

    /// The compressed one of this answer and the one with another encoding, where one is compressed.
    pub(crate) fn compressed(&self) -> Option<&IdleStream> {
        [Some(self), self.other_encoding.as_deref()].into_iter().flatten().find(|stream| stream.is_compressed())
    }

    /// Whether the answer is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        !self.header("content-encoding").is_empty()
    }

    /// Chunks per second, of all that were seen.
    pub(crate) fn rate(&self) -> f64 {
        self.chunks as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Chunks at the start after which comes a pause that no later one is like.
fn preamble(gaps: &[Duration]) -> usize {
    const CHUNKS_MAX: usize = 3;
    const PAUSE: Duration = Duration::from_millis(100);
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable();
    let Some(typical) = sorted.get(sorted.len() / 2) else { return 0 };
    let is_pause = |at: &usize| {
        let pause = gaps[*at];
        pause > PAUSE && pause > *typical * 3 && gaps[at + 1..].iter().all(|gap| *gap * 2 < pause)
    };
    (0..gaps.len().saturating_sub(1).min(CHUNKS_MAX)).find(is_pause).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(at_ms: &[u64]) -> IdleStream {
        let chunks: Vec<_> = at_ms.iter().copied().map(Duration::from_millis).collect();
        let mut idle = IdleStream::default();
        idle.set_times(&chunks, Duration::from_secs(9));
        idle
    }

    #[test]
    fn a_stream_begins_after_its_preamble() {
        let even = stream(&[300, 500, 700, 900, 1_100]);
        assert_eq!((even.preamble, even.first_chunk.as_millis(), even.gap().as_millis()), (0, 300, 200));
        let role_first = stream(&[10, 2_010, 2_210, 2_410, 2_610]);
        assert_eq!(
            (role_first.preamble, role_first.first_chunk.as_millis(), role_first.gap().as_millis()),
            (1, 2_010, 200)
        );
        let uneven = stream(&[300, 700, 710, 720, 1_100, 1_110, 1_500]);
        assert_eq!(uneven.preamble, 0, "a later pause is as long");
    }

    #[test]
    fn an_answer_at_once_is_no_stream() {
        assert!(stream(&[300, 500, 700]).streams());
        assert!(stream(&[5_000, 5_600, 6_100]).streams());
        assert!(!stream(&[4_000, 4_001, 4_002]).streams(), "all at the end");
        assert!(!stream(&[10, 4_000, 4_001, 4_002]).streams(), "all but a preamble at the end");
        let ended = |at_ms: &[u64]| IdleStream { ended: true, ..stream(at_ms) };
        assert!(
            !ended(&[10, 4_000]).streams() && stream(&[10, 4_000]).streams(),
            "a beginning, and the rest at the end"
        );
        assert!(!stream(&[10]).streams() && !stream(&[]).streams());
    }

    #[test]
    fn a_buffer_that_is_passed_on_when_it_is_full_is_no_stream() {
        let blocks = IdleStream { events: 40, ..stream(&[4_750, 9_750, 12_000]) };
        assert!(!blocks.streams());
        let slow = IdleStream { events: 6, ..stream(&[4_750, 9_750, 12_000]) };
        assert!(slow.streams(), "two events at a time");
        let fast = IdleStream { events: 40, ..stream(&[100, 300, 500]) };
        assert!(fast.streams(), "a fast stream whose events are sent in groups");
    }
}
