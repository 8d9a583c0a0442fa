//! Word wrap.

use super::terminal::columns;

/// `text` after `label`, in lines of at most `columns` characters, indented to the label's width.
#[must_use]
pub fn wrap(label: &str, text: &str) -> String {
    wrap_at(columns(), label, text)
}

/// The same in lines of at most this many `columns`.
#[must_use]
pub fn wrap_at(columns: usize, label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let mut lines = vec![label.to_owned()];
    let mut width = indent;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if width > indent && width + 1 + letters > columns {
            lines.push(" ".repeat(indent));
            width = indent;
        }
        let Some(line) = lines.last_mut() else { continue };
        if width > indent {
            line.push(' ');
            width += 1;
        }
        line.push_str(word);
        width += letters;
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_the_terminal_and_words_stay_whole() {
        for columns in [80, 50] {
            let wrapped = wrap_at(columns, "  Not shown:   ", &"some words ".repeat(30));
            assert!(wrapped.lines().all(|line| line.chars().count() <= columns), "{wrapped}");
            assert!(wrapped.lines().skip(1).all(|line| line.starts_with(&" ".repeat(15))));
            assert_eq!(wrapped.split_whitespace().count(), 2 + 60);
        }
        assert_eq!(wrap("a: ", "b"), "a: b");
    }
}
