//! The phases of a run: shaded from top to bottom, with their names above.

use super::axis::Axis;
use super::elements::{Anchor, Elements, shortened, width};
use crate::result::RunResult;

/// Size of the names.
const SIZE: f64 = 16.5;
/// Height of a row of names.
pub(super) const ROW: f64 = 20.0;
/// Names that do not fit into so many rows are left out; who points at the phase still reads its name.
const ROWS_MAX: usize = 3;
/// Characters of a name.
const NAME_MAX: usize = 40;

/// A phase, while it was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Band {
    from_ms: f64,
    to_ms: f64,
    pub(super) name: String,
}

/// The phases of `result` that took time.
pub(super) fn bands(result: &RunResult) -> Vec<Band> {
    let servers = result.servers();
    let band = |name: &str, title: &str| {
        let with_it = || servers.iter().filter_map(|(arm, of)| Some((*arm, of.phase(name)?)));
        let from_ms = with_it().map(|(_, phase)| phase.from_ms).reduce(f64::min)?;
        let to_ms = with_it().map(|(_, phase)| phase.to_ms).reduce(f64::max)?;
        let only = if servers.len() > 1 && with_it().count() == 1 { with_it().next() } else { None };
        let name = only.map_or(title.to_owned(), |(arm, _)| format!("{title} ({arm})"));
        (from_ms.is_finite() && to_ms.is_finite() && from_ms < to_ms).then_some(Band { from_ms, to_ms, name })
    };
    result.phases().into_iter().filter_map(|phase| band(&phase.name, phase.title())).collect()
}

/// The places of the names.
#[derive(Debug)]
pub(super) struct Names {
    /// The row of each band, counted from the chart upwards, and the middle of its name.
    places: Vec<Option<(usize, f64)>>,
}

impl Names {
    /// Puts each name into the lowest row in which it does not touch another.
    pub(super) fn new(bands: &[Band], time: &Axis) -> Self {
        let (left, right) = time.pixels();
        let mut ends = [f64::NEG_INFINITY; ROWS_MAX];
        let place = |band: &Band| {
            let half = width(&shortened(&band.name, NAME_MAX), SIZE) / 2.0;
            let middle = f64::midpoint(time.at(band.from_ms), time.at(band.to_ms));
            let middle = middle.min(right - half).max(left + half);
            let row = ends.iter().position(|end| middle - half > end + SIZE / 2.0)?;
            ends[row] = middle + half;
            Some((row, middle))
        };
        Names { places: bands.iter().map(place).collect() }
    }

    /// The height that they need.
    pub(super) fn height(&self) -> f64 {
        let rows = self.places.iter().flatten().map(|(row, _)| row + 1).max();
        rows.unwrap_or(0) as f64 * ROW
    }

    /// Paints the bands from `top` to `bottom` and the names above.
    pub(super) fn paint(&self, bands: &[Band], time: &Axis, (top, bottom): (f64, f64), onto: &mut Elements) {
        for (band, place) in bands.iter().zip(&self.places) {
            let (left, right) = (time.at(band.from_ms), time.at(band.to_ms));
            let seconds = |ms: f64| format!("{:.1}", ms / 1000.0);
            let title = format!("{}, {} to {} s", band.name, seconds(band.from_ms), seconds(band.to_ms));
            onto.area("band", (left, top), (right - left, bottom - top), &title);
            let Some((row, middle)) = *place else { continue };
            let base = top - 6.0 - row as f64 * ROW;
            let foot = f64::midpoint(left, right);
            if row > 0 {
                onto.line("grid", (foot, base + 3.0), (foot, top));
            }
            onto.text("small muted halo", (middle, base), Anchor::Middle, &shortened(&band.name, NAME_MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(from_s: f64, to_s: f64, name: &str) -> Band {
        Band { from_ms: from_s * 1000.0, to_ms: to_s * 1000.0, name: name.to_owned() }
    }

    #[test]
    fn names_do_not_touch_and_stay_within_the_chart() {
        let time = Axis::linear((0.0, 20_000.0), (60.0, 620.0));
        let bands = [
            band(0.0, 2.0, "idle"),
            band(2.5, 4.0, "39 streams"),
            band(4.0, 5.2, "40 streams"),
            band(5.7, 16.0, "60 streams"),
            band(18.0, 20.0, "2,000 more (fixed)"),
        ];
        let names = Names::new(&bands, &time);
        let places: Vec<_> = names.places.iter().copied().map(Option::unwrap).collect();
        assert_eq!(places.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 1, 0, 0, 0]);
        for ((row, middle), band) in places.iter().zip(&bands) {
            let half = width(&band.name, SIZE) / 2.0;
            assert!(middle - half >= 60.0 && middle + half <= 620.0, "{band:?} at {middle}");
            let same = places.iter().zip(&bands).filter(|((other, at), _)| other == row && at != middle);
            for ((_, at), other) in same {
                assert!((at - middle).abs() > half + width(&other.name, SIZE) / 2.0, "{band:?} and {other:?}");
            }
        }
        assert_eq!(names.height(), 2.0 * ROW);
    }

    #[test]
    fn names_that_find_no_place_are_left_out() {
        let time = Axis::linear((0.0, 20_000.0), (60.0, 620.0));
        let bands: Vec<_> = (0..40).map(|at| band(f64::from(at) / 2.0, f64::from(at) / 2.0 + 0.4, "a phase")).collect();
        let names = Names::new(&bands, &time);
        assert!(names.places.iter().any(Option::is_none) && names.height() == 3.0 * ROW, "{names:?}");
        let mut painted = Elements::default();
        names.paint(&bands, &time, (100.0, 200.0), &mut painted);
        let svg = painted.svg((640.0, 300.0), "", None);
        assert_eq!(svg.matches("<title>a phase, ").count(), 40, "all can still be pointed at");
    }
}
