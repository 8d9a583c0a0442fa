//! Words that fit: a number is shown whole or not at all.

use super::look::Tone;
use crate::live::ProbeFrame;
use crate::numbers::{millis, short_millis};

/// Latency from which an answer is slow.
pub(super) const SLOW_MS: f64 = 100.0;

/// The same thing said at several lengths.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// From the longest to the shortest.
    pub(super) variants: Vec<String>,
    /// What it means.
    pub(super) tone: Tone,
    /// A share from 0 to 1 that can be drawn beside the words.
    pub(super) share: Option<f64>,
}

impl Said {
    /// Words at several lengths, from the longest to the shortest.
    pub(super) fn new<const N: usize>(tone: Tone, variants: [String; N]) -> Self {
        Said { variants: variants.into(), tone, share: None }
    }

    /// The longest variant that fits in `width` columns.
    pub(super) fn within(&self, width: usize) -> &str {
        fitting(&self.variants, width)
    }

    /// The shortest variant.
    pub(super) fn shortest(&self) -> &str {
        self.variants.last().map_or("", String::as_str)
    }
}

/// The first of `variants` that fits in `width` columns; an ellipsis if none does.
pub(super) fn fitting<S: AsRef<str>>(variants: &[S], width: usize) -> &str {
    let fits = |text: &&str| text.chars().count() <= width;
    variants.iter().map(AsRef::as_ref).find(fits).unwrap_or(if width > 0 { "…" } else { "" })
}

/// A name in at most `width` columns; the end of a longer one is left out, which an ellipsis shows.
pub(super) fn cut(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    let kept: String = name.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…").chars().take(width).collect()
}

/// The state of a probe; `None` if the arm has no such probe.
pub(super) fn state(probe: Option<&ProbeFrame>) -> Said {
    match probe.copied() {
        None | Some(ProbeFrame::Idle) => Said::new(Tone::Faint, ["-".to_owned()]),
        Some(ProbeFrame::Answered { ms }) => {
            let tone = if ms < SLOW_MS { Tone::Good } else { Tone::Slow };
            Said::new(tone, [millis(ms), short_millis(ms)])
        }
        Some(ProbeFrame::Waiting { ms }) => {
            let seconds = ms.max(0.0) as u64 / 1000;
            let variants =
                [format!("no answer for {seconds} s"), format!("waiting, {seconds} s"), format!("… {seconds} s")];
            Said::new(Tone::Bad, variants)
        }
        Some(ProbeFrame::TimedOut { ms }) => {
            let limit = millis(ms);
            Said::new(Tone::Bad, [format!("× timed out, >{limit}"), format!("× >{limit}")])
        }
        Some(ProbeFrame::Refused { status }) => {
            Said::new(Tone::Bad, [format!("answered {status}"), format!("status {status}"), status.to_string()])
        }
        Some(ProbeFrame::Failed) => Said::new(Tone::Bad, ["failed".to_owned()]),
        Some(ProbeFrame::NotSent) => Said::new(Tone::Bad, ["not sent".to_owned(), "unsent".to_owned()]),
    }
}

/// The last word of a probe's name: `sync` of `health_sync`, `file` of `read_file`.
pub(super) fn short_name(probe: &str) -> &str {
    probe.rsplit('_').next().unwrap_or(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_get_shorter_with_the_room_and_numbers_stay_whole() {
        let waiting = state(Some(&ProbeFrame::Waiting { ms: 4200.0 }));
        assert_eq!(
            [40, 17, 16, 12, 5].map(|width| waiting.within(width)),
            ["no answer for 4 s", "no answer for 4 s", "waiting, 4 s", "waiting, 4 s", "… 4 s"]
        );
        let timed_out = state(Some(&ProbeFrame::TimedOut { ms: 10_000.0 }));
        assert_eq!([22, 8].map(|width| timed_out.within(width)), ["× timed out, >10 s", "× >10 s"]);
        assert_eq!([7, 6, 1, 0].map(|width| timed_out.within(width)), ["× >10 s", "…", "…", ""]);
        assert_eq!([6, 5, 0].map(|width| cut("broken", width)), ["broken", "brok…", ""]);
    }

    #[test]
    fn an_answer_is_good_below_100_ms_and_no_answer_is_bad() {
        let tone = |probe| state(Some(&probe)).tone;
        assert_eq!(tone(ProbeFrame::Answered { ms: 99.0 }), Tone::Good);
        assert_eq!(tone(ProbeFrame::Answered { ms: 100.0 }), Tone::Slow);
        assert_eq!(tone(ProbeFrame::Refused { status: 503 }), Tone::Bad);
        assert_eq!(tone(ProbeFrame::Idle), Tone::Faint);
        assert_eq!(state(None).shortest(), "-");
    }
}
