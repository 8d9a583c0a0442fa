//! The elements of an SVG, in the order in which they are painted.

use std::fmt::Write as _;

use crate::markup::escape;

/// A place in the picture, from its upper left corner.
pub(super) type Point = (f64, f64);

/// Half the size of a mark.
const MARK: f64 = 6.0;

/// Which part of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Elements that have been painted. Classes are ours; every other text is escaped.
#[derive(Debug, Default)]
pub(super) struct Elements {
    text: String,
}

impl Elements {
    pub(super) fn line(&mut self, class: &str, from: Point, to: Point) {
        self.path(class, &[vec![from, to]]);
    }

    /// Lines through these points, one for each run.
    pub(super) fn path(&mut self, class: &str, runs: &[Vec<Point>]) {
        let mut data = String::new();
        for run in runs {
            for (index, (x, y)) in run.iter().enumerate() {
                let _ = write!(data, "{}{} {}", if index == 0 { "M" } else { "L" }, number(*x), number(*y));
            }
        }
        if !data.is_empty() {
            self.push(format_args!(r#"<path class="{class}" d="{data}"/>"#));
        }
    }

    /// A rectangle that says what it is when one points at it.
    pub(super) fn area(&mut self, class: &str, at: Point, size: Point, title: &str) {
        let (x, y, width, height) = (number(at.0), number(at.1), number(size.0), number(size.1));
        let title = escape(title);
        self.push(format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"><title>{title}</title></rect>"#
        ));
    }

    /// A cross: timed out.
    pub(super) fn cross(&mut self, class: &str, (x, y): Point) {
        let slope = |sign: f64| vec![(x - MARK, y - sign * MARK), (x + MARK, y + sign * MARK)];
        self.path(class, &[slope(1.0), slope(-1.0)]);
    }

    /// A triangle that points down: failed.
    pub(super) fn triangle(&mut self, class: &str, (x, y): Point) {
        let corners = vec![(x - MARK, y - MARK), (x + MARK, y - MARK), (x, y + MARK), (x - MARK, y - MARK)];
        self.path(class, &[corners]);
    }

    pub(super) fn dot(&mut self, class: &str, (x, y): Point) {
        let (x, y, radius) = (number(x), number(y), number(MARK - 1.0));
        self.push(format_args!(r#"<circle class="{class}" cx="{x}" cy="{y}" r="{radius}"/>"#));
    }

    pub(super) fn text(&mut self, class: &str, at: Point, anchor: Anchor, text: &str) {
        self.texts(at, anchor, &[(class, text)]);
    }

    /// Pieces of text of different classes, one behind the other.
    pub(super) fn texts(&mut self, (x, y): Point, anchor: Anchor, pieces: &[(&str, &str)]) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let pieces: String =
            pieces.iter().map(|(class, text)| format!(r#"<tspan class="{class}">{}</tspan>"#, escape(text))).collect();
        self.push(format_args!(r#"<text x="{}" y="{}" text-anchor="{anchor}">{pieces}</text>"#, number(x), number(y)));
    }

    /// Paints what has been painted elsewhere.
    pub(super) fn append(&mut self, other: Elements) {
        self.text.push_str(&other.text);
    }

    /// The whole picture: its size, what it says to those who do not see it, and its style if it brings its own.
    pub(super) fn svg(self, (width, height): Point, label: &str, style: Option<&str>) -> String {
        let (width, height, label) = (number(width), number(height), escape(label));
        // A picture by itself needs a size and its own style; in a page both come from there.
        let own = style.map(|style| {
            let attributes = format!(r#" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}""#);
            let background = r#"<rect class="paper" width="100%" height="100%"/>"#;
            (attributes, format!("<style>{style}</style>\n{background}\n"))
        });
        let (attributes, first) = own.unwrap_or_default();
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\"{attributes}>\n\
             {first}{}</svg>\n",
            self.text
        )
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{element}");
    }
}

/// A number of pixels with at most one decimal.
fn number(pixels: f64) -> String {
    let text = format!("{:.1}", if pixels.is_finite() { pixels } else { 0.0 });
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// About the width of a text of this size in a proportional font.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.54
}

/// `text`, or its beginning and an ellipsis if it has more than so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_always_numbers() {
        assert_eq!([1.0, 1.04, 1.06, -0.04, 640.0].map(number), ["1", "1", "1.1", "-0", "640"]);
        assert_eq!([f64::NAN, f64::INFINITY].map(number), ["0", "0"]);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(shortened("日本語", 3), "日本語");
        assert_eq!(shortened("日本語です", 3), "日本…");
    }
}
