//! Axes: where a value is in the picture, and which values get a label.

/// From a value to its place in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    values: (f64, f64),
    pixels: (f64, f64),
    is_log: bool,
}

impl Axis {
    /// The same distance for the same difference.
    pub(super) fn linear(values: (f64, f64), pixels: (f64, f64)) -> Self {
        Axis { values, pixels, is_log: false }
    }

    /// The same distance for the same ratio. Both values are over 0.
    pub(super) fn log(values: (f64, f64), pixels: (f64, f64)) -> Self {
        Axis { values, pixels, is_log: true }
    }

    /// The place of `value`; that of the nearest end if it is beyond it.
    pub(super) fn at(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.is_log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let (from, to) = (scale(self.values.0), scale(self.values.1));
        let share = ((scale(value) - from) / (to - from)).clamp(0.0, 1.0);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// Its two ends in pixels.
    pub(super) fn pixels(&self) -> (f64, f64) {
        self.pixels
    }

    /// The powers of ten within it.
    pub(super) fn decades(&self) -> Vec<f64> {
        let powers = (-9..10).map(|power| 10f64.powi(power));
        powers.filter(|value| (self.values.0..=self.values.1).contains(value)).collect()
    }

    /// At most this many round values within it, from 0 on, and then one more.
    pub(super) fn round_values(&self, at_most: u32) -> Vec<f64> {
        let step = round_up(self.values.1 / f64::from(at_most.max(1)));
        let steps = (0..=at_most).map(|number| f64::from(number) * step);
        steps.filter(|value| *value <= self.values.1).collect()
    }
}

/// The nearest of 1, 2 and 5 times a power of ten that is not less.
pub(super) fn round_up(value: f64) -> f64 {
    let power = power_below(value);
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= value * (1.0 - 1e-9)).unwrap_or(value)
}

/// The nearest of 1, 2 and 5 times a power of ten that is not more.
pub(super) fn round_down(value: f64) -> f64 {
    let power = power_below(value);
    let steps = [5.0, 2.0, 1.0].map(|step| step * power);
    steps.into_iter().find(|step| *step <= value * (1.0 + 1e-9)).unwrap_or(power)
}

fn power_below(value: f64) -> f64 {
    10f64.powi(value.max(1e-9).log10().floor() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_axis_gives_each_ratio_the_same_distance() {
        let axis = Axis::log((0.1, 1000.0), (400.0, 0.0));
        assert_eq!([0.1, 1.0, 100.0, 1000.0].map(|value| axis.at(value).round()), [400.0, 300.0, 100.0, 0.0]);
        // Beyond the ends, and what has no logarithm.
        assert_eq!([0.0, -1.0, 1e9].map(|value| axis.at(value)), [400.0, 400.0, 0.0]);
        assert_eq!(axis.decades(), [0.1, 1.0, 10.0, 100.0, 1000.0]);
    }

    #[test]
    fn labels_of_a_linear_axis_are_round_and_few() {
        let values = |max: f64, at_most| Axis::linear((0.0, max), (0.0, 1.0)).round_values(at_most);
        assert_eq!(values(24.3, 6), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(values(75.0, 4), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(values(1.0, 4), [0.0, 0.5, 1.0]);
        assert!((1..100_000).all(|max| values(f64::from(max), 6).len() <= 7));
    }

    #[test]
    fn ends_are_rounded_away_from_the_values() {
        assert_eq!([0.31, 1.0, 7.2, 11_500.0].map(round_up), [0.5, 1.0, 10.0, 20_000.0]);
        assert_eq!([0.31, 1.0, 7.2, 9.99].map(round_down).map(|value| (value * 10.0).round()), [2.0, 10.0, 50.0, 50.0]);
    }
}
