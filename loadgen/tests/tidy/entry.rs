//! What a lab says about itself, and the names and files that follow from it.

use std::fmt;

use loadgen::lab::{Group, Lab};
use loadgen::marks::{FIX, anchor_around};

use crate::tree::Tree;

/// What a lab says about itself.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) group: Group,
    pub(crate) mistake: String,
    pub(crate) fix: String,
    pub(crate) fix_file: String,
    /// The anchor around the mark of its fix, which other labs may share; its own name until it has one.
    pub(crate) fix_anchor: String,
    pub(crate) repair_file: String,
}

impl Entry {
    pub(crate) fn of(lab: &Lab, tree: &Tree) -> Self {
        let fix = tree.text(lab.fix_file).unwrap_or_default();
        Entry {
            name: lab.name.to_owned(),
            group: lab.group,
            mistake: lab.mistake.to_owned(),
            fix: lab.fix.to_owned(),
            fix_file: lab.fix_file.to_owned(),
            fix_anchor: anchor_around(fix, FIX, lab.name).unwrap_or(lab.name).to_owned(),
            repair_file: lab.repair_file.to_owned(),
        }
    }

    /// Its name in Rust: `pool_exhaustion`.
    pub(crate) fn stem(&self) -> String {
        self.name.replace('-', "_")
    }

    pub(crate) fn mistake_file(&self) -> String {
        format!("broken-server/src/mistakes/{}/{}.rs", self.group, self.stem())
    }

    /// The list of the mistakes of its group.
    pub(crate) fn mistakes_of_group(&self) -> String {
        format!("broken-server/src/mistakes/{}.rs", self.group)
    }

    pub(crate) fn lab_file(&self) -> String {
        format!("loadgen/src/labs/{}.rs", self.stem())
    }

    pub(crate) fn chapter(&self) -> String {
        format!("workshop/src/{}/{}.md", self.group, self.name)
    }

    /// What it printed, for its chapter.
    pub(crate) fn output(&self) -> String {
        format!("workshop/src/outputs/{}.txt", self.name)
    }
}

/// Something that is missing: the file and the line to write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) file: String,
    /// Where in the file, or what to do.
    pub(crate) place: String,
    /// The line to write; empty where there is none.
    pub(crate) line: String,
}

impl Missing {
    pub(crate) fn new(file: impl Into<String>, place: impl Into<String>, line: impl Into<String>) -> Self {
        Missing { file: file.into(), place: place.into(), line: line.into() }
    }

    /// A missing file.
    pub(crate) fn file(file: impl Into<String>, how: impl Into<String>) -> Self {
        Missing::new(file, how, "")
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.place)?;
        self.line.lines().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// Fails with everything that is missing.
pub(crate) fn assert_complete(missing: &[Missing]) {
    let said: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "\n\n{}\n", said.join("\n\n"));
}
