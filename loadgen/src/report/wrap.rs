/// Columns of a terminal that nobody has widened.
const COLUMNS: usize = 80;

/// `text` after `label`, in lines of at most 80 characters, indented to the label's width.
#[must_use]
pub fn wrap(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let mut lines = vec![label.to_owned()];
    let mut width = indent;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if width > indent && width + 1 + letters > COLUMNS {
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
    fn lines_keep_to_the_terminal_and_words_stay_whole() {
        let wrapped = wrap("  Not proved:  ", &"some words ".repeat(30));
        assert!(wrapped.lines().all(|line| line.chars().count() <= COLUMNS), "{wrapped}");
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with(&" ".repeat(15))));
        assert_eq!(wrapped.split_whitespace().count(), 2 + 60);
        assert_eq!(wrap("a: ", "b"), "a: b");
    }
}
