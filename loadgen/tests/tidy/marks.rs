//! Marks and anchors in code.

/// The mark of a mistake.
pub(crate) const MISTAKE: &str = "// MISTAKE ";
/// The mark of a fix. One place may fix several mistakes: `// FIX a, b: why`.
pub(crate) const FIX: &str = "// FIX ";

/// The names in marks such as `// FIX a, b: why`.
pub(crate) fn marked<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let rests = text.lines().filter_map(|line| line.trim_start().strip_prefix(mark));
    rests.flat_map(|rest| rest.split(':').next().unwrap_or_default().split(',').map(str::trim)).collect()
}

/// The names of the anchors that begin or end in a text.
pub(crate) fn anchors(text: &str) -> (Vec<&str>, Vec<&str>) {
    (marked(text, "// ANCHOR: "), marked(text, "// ANCHOR_END: "))
}

/// The lines between an anchor's two marks.
pub(crate) fn anchored<'a>(text: &'a str, anchor: &str) -> Option<&'a str> {
    let begin = text.find(&format!("// ANCHOR: {anchor}\n"))?;
    let shown = &text[begin..];
    shown.find(&format!("// ANCHOR_END: {anchor}\n")).map(|end| &shown[..end])
}

/// The innermost anchor around the mark of `name`.
pub(crate) fn anchor_around<'a>(text: &'a str, mark: &str, name: &str) -> Option<&'a str> {
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
