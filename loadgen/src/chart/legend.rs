//! What the lines and marks mean.

use super::elements::{Anchor, Elements, shortened, width};

const SIZE: f64 = 18.0;
const ROW: f64 = 26.0;
/// Width of a piece of line.
const LINE: f64 = 34.0;
/// Width of a mark.
const MARK: f64 = 14.0;
const GAP: f64 = 6.0;
const BETWEEN: f64 = 20.0;
/// Characters of a name.
const NAME_MAX: usize = 50;

/// An entry of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entry {
    /// The line of a server: its class and its name.
    Line { class: String, name: String },
    /// A cross, and what it means.
    Cross(String),
    /// A triangle, and what it means.
    Triangle(String),
}

impl Entry {
    fn sign(&self) -> f64 {
        if matches!(self, Entry::Line { .. }) { LINE } else { MARK }
    }

    fn text(&self) -> String {
        let (Entry::Line { name: text, .. } | Entry::Cross(text) | Entry::Triangle(text)) = self;
        shortened(text, NAME_MAX)
    }

    fn width(&self) -> f64 {
        self.sign() + GAP + width(&self.text(), SIZE)
    }
}

/// Paints the entries in rows from `left` to `right`, from `top` on, and returns the height that they take.
pub(super) fn paint(entries: &[Entry], (left, right): (f64, f64), top: f64, onto: &mut Elements) -> f64 {
    let (mut x, mut row) = (left, 0.0);
    for entry in entries {
        if x > left && x + entry.width() > right {
            (x, row) = (left, row + ROW);
        }
        let base = top + row + SIZE;
        let middle = base - 0.32 * SIZE;
        match entry {
            Entry::Line { class, .. } => {
                onto.line(&format!("arm {class}"), (x, middle), (x + LINE, middle));
            }
            Entry::Cross(_) => onto.cross("key", (x + MARK / 2.0, middle)),
            Entry::Triangle(_) => onto.triangle("key", (x + MARK / 2.0, middle)),
        }
        onto.text("", (x + entry.sign() + GAP, base), Anchor::Start, &entry.text());
        x += entry.width() + BETWEEN;
    }
    row + ROW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_do_not_fit_begin_a_row() {
        let entry = |name: &str| Entry::Line { class: "broken-0".to_owned(), name: name.to_owned() };
        let height = |entries: &[Entry]| paint(entries, (8.0, 300.0), 0.0, &mut Elements::default());
        assert_eq!(height(&[entry("broken"), entry("fixed")]), ROW);
        assert_eq!(height(&[entry("broken"), entry("control (same framework)"), entry("fixed")]), 3.0 * ROW);
        assert_eq!(height(&[entry(&"too long for any row ".repeat(9))]), ROW);
    }
}
