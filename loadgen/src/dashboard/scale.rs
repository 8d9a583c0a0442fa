//! The two axes, the same for all arms, so that they can be compared: time, and latency on a logarithmic scale.

use crate::live::Frame;

/// Latencies with a label.
pub(super) const LABELS: [(f64, &str); 5] =
    [(1.0, "≤ 1 ms"), (10.0, "10 ms"), (100.0, "100 ms"), (1000.0, "1 s"), (10_000.0, "10 s")];
/// Powers of ten from the lowest to the highest label.
const DECADES: f64 = 4.0;
/// Length of the window without an end in sight, at first and once it is full.
const WINDOW_MIN_MS: f64 = 20_000.0;
const WINDOW_MS: f64 = 60_000.0;

/// The height of a latency, from 0 at 1 ms and below to 1 at 10 s and above.
pub(super) fn height(ms: f64) -> f64 {
    (ms.max(1.0).log10() / DECADES).min(1.0)
}

/// The row of a latency in a chart with this many rows, from 0 at the top.
pub(super) fn row(ms: f64, rows: u16) -> u16 {
    let last = f64::from(rows.saturating_sub(1));
    (last - (height(ms) * last).round()) as u16
}

/// The time that charts show, since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub(super) from_ms: f64,
    pub(super) to_ms: f64,
}

impl Window {
    /// The whole run if its end is known, otherwise the last minute.
    pub(super) fn of(frame: &Frame, is_over: bool) -> Self {
        let first = frame.arms.iter().filter_map(|arm| arm.rows.first()).map(|row| row.t_ms).reduce(f64::min);
        let from_ms = first.unwrap_or(0.0);
        let end = match &frame.phase {
            Some(phase) => Some(frame.t_ms + phase.run_left_ms.max(0.0)),
            None => is_over.then_some(frame.t_ms),
        };
        match end {
            Some(end) => Window { from_ms, to_ms: end.max(from_ms + 1000.0) },
            None => {
                let from_ms = from_ms.max(frame.t_ms - WINDOW_MS);
                Window { from_ms, to_ms: frame.t_ms.max(from_ms + WINDOW_MIN_MS) }
            }
        }
    }

    /// The columns of a chart of this width that the time from `from_ms` to `to_ms` covers, at least one of those in
    /// the window.
    pub(super) fn columns(self, from_ms: f64, to_ms: f64, width: u16) -> std::ops::Range<u16> {
        let place = |at: f64| (at - self.from_ms) / (self.to_ms - self.from_ms) * f64::from(width);
        if to_ms <= self.from_ms || from_ms > self.to_ms {
            return 0..0;
        }
        let first = (place(from_ms).max(0.0) as u16).min(width.saturating_sub(1));
        first..(place(to_ms).floor() as u16).clamp(first + 1, width.max(first + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::PhaseFrame;

    #[test]
    fn each_power_of_ten_has_the_same_height() {
        assert_eq!([0.2, 1.0, 10.0, 100.0, 1000.0, 10_000.0, 60_000.0].map(|ms| row(ms, 9)), [8, 8, 6, 4, 2, 0, 0]);
        assert_eq!(row(f64::NAN, 9), 8);
        assert_eq!([row(5.0, 1), row(5.0, 0)], [0, 0]);
    }

    #[test]
    fn a_run_with_phases_is_shown_whole_and_one_without_for_a_minute() {
        let phase = PhaseFrame {
            name: "loaded".into(),
            title: "60 streams".into(),
            number: 3,
            of: 4,
            left_ms: 4000.0,
            run_left_ms: 9000.0,
        };
        let mut frame = Frame { t_ms: 10_000.0, phase: Some(phase), ..Frame::default() };
        assert_eq!(Window::of(&frame, false), Window { from_ms: 0.0, to_ms: 19_000.0 });
        frame.phase = None;
        assert_eq!(Window::of(&frame, false), Window { from_ms: 0.0, to_ms: 20_000.0 });
        assert_eq!(Window::of(&frame, true), Window { from_ms: 0.0, to_ms: 10_000.0 });
        frame.t_ms = 90_000.0;
        assert_eq!(Window::of(&frame, false), Window { from_ms: 30_000.0, to_ms: 90_000.0 });
    }

    #[test]
    fn a_quarter_of_a_second_covers_as_many_columns_as_it_is_wide() {
        let window = Window { from_ms: 0.0, to_ms: 10_000.0 };
        assert_eq!(window.columns(0.0, 250.0, 80), 0..2);
        assert_eq!(window.columns(9750.0, 10_000.0, 80), 78..80);
        assert_eq!(window.columns(500.0, 750.0, 20), 1..2);
        assert_eq!(window.columns(11_000.0, 11_250.0, 20), 0..0);
    }
}
