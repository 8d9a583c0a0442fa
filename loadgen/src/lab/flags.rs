//! Flags of a program, as one writes them.

/// The flags in `line`, which are separated by white space.
#[must_use]
pub fn flags(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
