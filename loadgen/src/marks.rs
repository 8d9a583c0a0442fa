//! Marks and anchors in code: where a mistake is, and where its fix.

use std::ops::RangeInclusive;

/// The mark of a mistake.
pub const MISTAKE: &str = "// MISTAKE ";
/// The mark of a fix. One place may fix several mistakes: `// FIX a, b: why`.
pub const FIX: &str = "// FIX ";

/// The names in marks such as `// FIX a, b: why`.
#[must_use]
pub fn marked<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let rests = text.lines().filter_map(|line| line.trim_start().strip_prefix(mark));
    rests.flat_map(|rest| rest.split(':').next().unwrap_or_default().split(',').map(str::trim)).collect()
}

/// The names of the anchors that begin or end in a text.
#[must_use]
pub fn anchors(text: &str) -> (Vec<&str>, Vec<&str>) {
    (marked(text, "// ANCHOR: "), marked(text, "// ANCHOR_END: "))
}

/// The lines between an anchor's two marks.
#[must_use]
pub fn anchored<'a>(text: &'a str, anchor: &str) -> Option<&'a str> {
    let begin = text.find(&format!("// ANCHOR: {anchor}\n"))?;
    let shown = &text[begin..];
    shown.find(&format!("// ANCHOR_END: {anchor}\n")).map(|end| &shown[..end])
}

/// The lines between an anchor's two marks, counted from 1.
#[must_use]
pub fn anchored_lines(text: &str, anchor: &str) -> Option<RangeInclusive<usize>> {
    let line_of = |mark: &str| text.lines().position(|line| marked(line, mark).contains(&anchor));
    let (begin, end) = (line_of("// ANCHOR: ")?, line_of("// ANCHOR_END: ")?);
    (begin + 1 < end).then_some(begin + 2..=end)
}

/// The innermost anchor around the mark of `name`.
#[must_use]
pub fn anchor_around<'a>(text: &'a str, mark: &str, name: &str) -> Option<&'a str> {
    let mut open = Vec::new();
    for line in text.lines() {
        open.extend(marked(line, "// ANCHOR: "));
        if marked(line, mark).contains(&name) {
            return open.pop();
        }
        open.retain(|anchor| !marked(line, "// ANCHOR_END: ").contains(anchor));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_may_name_several_labs() {
        let text = "    // FIX a, b-c: why: because\ncode\n    // FIX d: why\n// FIXED e\n";
        assert_eq!(marked(text, FIX), ["a", "b-c", "d"]);
        let shown = "// ANCHOR: x\n// FIX a: why\ncode\n// ANCHOR_END: x\n";
        assert_eq!(anchored(shown, "x").map(|shown| marked(shown, FIX)), Some(vec!["a"]));
        assert_eq!(anchored("// ANCHOR: x\ncode\n", "x"), None);
        let nested = format!("// ANCHOR: y\n{shown}// FIX b: why\n// ANCHOR_END: y\n// FIX c: why\n");
        let around = ["a", "b", "c", "d"].map(|name| anchor_around(&nested, FIX, name));
        assert_eq!(around, [Some("x"), Some("y"), None, None]);
    }

    #[test]
    fn lines_are_those_between_the_marks() {
        let text = "code\n    // ANCHOR: x\n    // FIX a: why\n    code\n    // ANCHOR_END: x\ncode\n";
        assert_eq!(anchored_lines(text, "x"), Some(3..=4));
        assert_eq!(anchored_lines(text, "y"), None);
        assert_eq!(anchored_lines("// ANCHOR: x\n// ANCHOR_END: x\n", "x"), None, "nothing is between them");
        assert_eq!(anchored_lines("// ANCHOR: x\ncode\n", "x"), None, "it has no end");
    }
}
