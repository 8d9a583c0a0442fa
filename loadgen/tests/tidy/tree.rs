//! The files that the rules are about: those of the repository, or made-up ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Files with their texts, under their paths from the repository's root.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, String>);

/// What is built, what a run leaves behind, and the templates of new labs.
const NOT_SOURCE: [&str; 4] = ["target", "run", "node_modules", "new-lab"];

/// Endings of the files that the rules read.
const READ: [&str; 3] = ["rs", "md", "txt"];

impl Tree {
    /// The files of the repository at `root`.
    pub(crate) fn of(root: &Path) -> Self {
        let (mut tree, mut folders) = (Tree::default(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if path.is_dir() && !name.starts_with('.') && !NOT_SOURCE.contains(&&*name) {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| READ.iter().any(|read| ending == *read)) {
                    let file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    tree.0.insert(file, fs::read_to_string(&path).unwrap());
                }
            }
        }
        tree
    }

    /// The text of a file; `None` if it is not there.
    pub(crate) fn text(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }

    /// All files whose path begins like this.
    pub(crate) fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter(move |(file, _)| file.starts_with(folder)).map(|(file, text)| (&**file, &**text))
    }

    /// The Rust files.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.under("").filter(|(file, _)| file.ends_with(".rs"))
    }

    /// The same with another text in `file`.
    pub(crate) fn with(mut self, file: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.insert(file.into(), text.into());
        self
    }
}
