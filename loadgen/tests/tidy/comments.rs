//! The rule for the width of comments: the formatter wraps code, and leaves comments as they are.

use crate::entry::Missing;
use crate::tree::Tree;

/// Columns of a comment's text, beside its indentation and its marks.
const COLUMNS_MAX: usize = 120;

/// Comments with a line that is wider.
pub(crate) fn too_wide(tree: &Tree) -> Vec<Missing> {
    let of_file = |(file, text): (&str, &str)| -> Vec<Missing> {
        let how = |line| format!("wrap the comment in line {line}, which is over {COLUMNS_MAX} columns");
        wide_lines(text).into_iter().map(|line| Missing::file(file, how(line))).collect()
    };
    tree.sources().flat_map(of_file).collect()
}

/// The numbers of the lines that are too wide. Tables and code in a comment cannot be wrapped.
fn wide_lines(text: &str) -> Vec<usize> {
    let (mut wide, mut is_code) = (Vec::new(), false);
    for (line, number) in text.lines().zip(1..) {
        let Some(comment) = comment(line) else {
            is_code = false;
            continue;
        };
        if comment.starts_with("```") {
            is_code = !is_code;
        } else if !is_code && !comment.starts_with('|') && comment.chars().count() > COLUMNS_MAX {
            wide.push(number);
        }
    }
    wide
}

/// The text of a line that is a comment.
fn comment(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("//")?;
    let text = rest.strip_prefix(['/', '!']).unwrap_or(rest);
    Some(text.strip_prefix(' ').unwrap_or(text))
}

#[test]
fn a_wide_comment_is_named_and_a_table_or_code_is_not() {
    let [fits, wide] = [COLUMNS_MAX, COLUMNS_MAX + 1].map(|columns| "x".repeat(columns));
    let text = format!(
        "//! {fits}\n/// {wide}\nlet code = \"{wide}\";\n    // {fits}\n    // {wide}\n//! |{wide}|\n/// ```\n/// {wide}\n/// ```\n/// {wide}\n"
    );
    assert_eq!(wide_lines(&text), [2, 5, 10]);
    let tree = Tree::default().with("a.rs", text.clone()).with("a.md", text);
    assert_eq!(too_wide(&tree).len(), 3, "only in code");
}
