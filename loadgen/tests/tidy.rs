//! What ARCHITECTURE.md promises of the code, and what the reader's way from a lab to its mistake and
//! its fix rests on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use loadgen::labs::LABS;

const LINES_MAX: usize = 300;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files of the workspace.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders: Vec<_> = fs::read_dir(repository()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.join("Cargo.toml").exists());
    let mut sources = Vec::new();
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            folders.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            sources.push((path.strip_prefix(repository()).unwrap().to_owned(), text));
        }
    }
    assert!(sources.len() > 100, "only {} files were found", sources.len());
    sources
}

/// The names in marks such as `// FIX name: why`.
fn marks(text: &str, mark: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix(mark));
    lines.map(|rest| rest.split(':').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn no_file_is_longer_than_one_idea() {
    let long: Vec<_> = sources().into_iter().filter(|(_, text)| text.lines().count() > LINES_MAX).collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {:?}", long.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn every_mistake_has_its_fix_and_every_mark_its_pair() {
    let under = |folder: &str, mark: &str| -> Vec<String> {
        let sources = sources().into_iter().filter(|(path, _)| path.starts_with(folder));
        sources.flat_map(|(_, text)| marks(&text, mark)).collect()
    };
    let (mistakes, fixes) = (under("broken-server/src", "// MISTAKE "), under("fixed-server/src", "// FIX "));
    let unique = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
    assert!(!mistakes.is_empty());
    assert_eq!(unique(&mistakes), unique(&fixes), "a mistake without its fix, or the other way round");
    assert_eq!((mistakes.len(), fixes.len()), (unique(&mistakes).len(), unique(&fixes).len()), "a mark stands twice");
}

#[test]
fn every_anchor_that_begins_ends() {
    for (path, text) in sources().iter().filter(|(path, _)| path != Path::new("loadgen/tests/tidy.rs")) {
        let (mut begun, mut ended) = (marks(text, "// ANCHOR: "), marks(text, "// ANCHOR_END: "));
        begun.sort();
        ended.sort();
        assert_eq!(begun, ended, "{}", path.display());
    }
}

#[test]
fn a_lab_leads_to_its_mistake_and_its_fix() {
    for lab in LABS {
        for (file, mark) in [(lab.mistake_file, "// MISTAKE "), (lab.fix_file, "// FIX ")] {
            let text = fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(marks(&text, mark).iter().any(|name| name == lab.name), "{file} has no mark of {}", lab.name);
        }
        let stem = Path::new(lab.mistake_file).file_stem().unwrap().to_str().unwrap();
        assert_eq!(stem.replace('_', "-"), lab.name, "one name everywhere");
        let own = repository().join(format!("loadgen/src/labs/{stem}.rs"));
        assert!(own.exists(), "{} is not there", own.display());
    }
}
