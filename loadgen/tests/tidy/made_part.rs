//! A part of a page that is made of what the code says, between two marks. `make lists` writes it.

use crate::entry::Missing;
use crate::tree::Tree;

/// A part of pages, and what is in it.
pub(crate) struct MadePart {
    /// The lines around it.
    pub(crate) marks: [&'static str; 2],
    /// For example `list`, of `labs`.
    pub(crate) form: &'static str,
    pub(crate) of: &'static str,
}

impl MadePart {
    /// The text of a page with this part as it should be; `None` if the marks around it are missing.
    pub(crate) fn in_page(&self, file: &str, tree: &Tree, part: &str) -> Option<String> {
        let [begin, end] = self.marks;
        let (before, rest) = tree.text(file)?.split_once(begin)?;
        let (_, after) = rest.split_once(end)?;
        Some([before, begin, part, end, after].concat())
    }

    /// The part, if that of a page is not as it should be.
    pub(crate) fn missing(&self, file: &str, tree: &Tree, part: &str) -> Option<Missing> {
        let MadePart { marks, form, of } = self;
        let Some(expected) = self.in_page(file, tree, part) else {
            return Some(Missing::new(file, format!("write, around the {form} of {of}"), marks.concat()));
        };
        let text = tree.text(file)?;
        if text == expected {
            return None;
        }
        let there: Vec<_> = text.lines().collect();
        let new: Vec<_> = expected.lines().filter(|line| !there.contains(line)).collect();
        let place = format!("its {form} is not that of the {of}: run `make lists`, which writes");
        Some(Missing::new(file, place, new.join("\n")))
    }
}
