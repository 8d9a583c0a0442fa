//! What ARCHITECTURE.md promises about the code, and the links from a lab to its mistake, its fix and its chapter.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadgen::lab::Group;
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
fn no_file_is_over_300_lines() {
    let long: Vec<_> = sources().into_iter().filter(|(_, text)| text.lines().count() > LINES_MAX).collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {:?}", long.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn every_file_begins_with_its_purpose() {
    let silent: Vec<_> = sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).collect();
    assert!(silent.is_empty(), "without `//!`: {:?}", silent.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn every_mistake_mark_has_its_fix_mark() {
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
fn every_anchor_has_its_end() {
    for (path, text) in sources().iter().filter(|(path, _)| path != Path::new("loadgen/tests/tidy.rs")) {
        let (mut begun, mut ended) = (marks(text, "// ANCHOR: "), marks(text, "// ANCHOR_END: "));
        begun.sort();
        ended.sort();
        assert_eq!(begun, ended, "{}", path.display());
    }
}

/// The mistakes of broken-server and their groups, as it lists them itself.
fn mistakes() -> Vec<(String, String)> {
    let program = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("broken-server");
    let output = Command::new(&program).arg("--list").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}: run `make test`", program.display()));
    let text = String::from_utf8(output.stdout).unwrap();
    let (mut group, mut mistakes) = ("", Vec::new());
    for line in text.lines() {
        match line.strip_prefix("  ").and_then(|entry| entry.split_whitespace().next()) {
            Some(name) => mistakes.push((name.to_owned(), group.to_owned())),
            None => group = line,
        }
    }
    mistakes.retain(|(_, group)| group != "control");
    mistakes
}

#[test]
fn every_mistake_has_its_lab_in_the_same_group_and_order() {
    let labs: Vec<_> = LABS.iter().map(|lab| (lab.name.to_owned(), lab.group.to_string())).collect();
    assert_eq!(labs, mistakes(), "loadgen/src/labs.rs and broken-server/src/mistakes/GROUP.rs");
}

#[test]
fn a_lab_leads_to_its_mistake_and_its_fix() {
    for lab in LABS {
        let file_name = lab.name.replace('-', "_");
        assert_eq!(lab.mistake_file, format!("broken-server/src/mistakes/{}/{file_name}.rs", lab.group));
        for (file, mark) in [(lab.mistake_file, "// MISTAKE "), (lab.fix_file, "// FIX ")] {
            let text = read(file);
            assert!(marks(&text, mark).iter().any(|name| name == lab.name), "{file} has no mark of {}", lab.name);
            let shown = anchored(&text, lab.name).unwrap_or_else(|| panic!("{file} has no anchor {}", lab.name));
            assert!(shown.contains(&format!("{mark}{}:", lab.name)), "{file}: the anchor does not show the mark");
        }
        let head = format!("//! Fix: {}", lab.fix_file);
        assert!(read(lab.mistake_file).contains(&head), "{} does not say `{head}`", lab.mistake_file);
        assert!(repository().join(format!("loadgen/src/labs/{file_name}.rs")).exists(), "{} has no file", lab.name);
        assert!(repository().join(lab.repair_file).exists(), "{}: {} is not there", lab.name, lab.repair_file);
        assert!(lab.repair_file.starts_with("broken-server/"), "{}: a repair is made in broken-server", lab.name);
        for profile in [&lab.normal, &lab.fast] {
            let runs = profile.arms.iter().any(|arm| arm.args.starts_with(&["--mistake", lab.name]));
            assert!(runs, "{} does not run its mistake", lab.name);
        }
    }
}

#[test]
fn every_mark_and_lab_file_belongs_to_a_lab() {
    let names: BTreeSet<_> = LABS.iter().map(|lab| lab.name.to_owned()).collect();
    for (path, text) in sources().iter().filter(|(path, _)| !path.starts_with("loadgen/tests")) {
        for mark in ["// MISTAKE ", "// FIX "] {
            let orphans: Vec<_> = marks(text, mark).into_iter().filter(|name| !names.contains(name)).collect();
            assert!(orphans.is_empty(), "{}: {mark}{orphans:?} is no lab's", path.display());
        }
    }
    for entry in fs::read_dir(repository().join("loadgen/src/labs")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().replace('_', "-");
        // The tests of all labs, the demo's profile, and what several labs share.
        let known =
            names.contains(&stem) || ["tests", "demo", "full-pool", "whole-calls", "time"].contains(&stem.as_str());
        assert!(known, "{} is no lab's", path.display());
    }
}

/// The table of labs in README.md, from the registry.
fn table_of_labs() -> String {
    let mut table = "| lab | the mistake | the fix | side by side |\n|---|---|---|---|\n".to_owned();
    for lab in LABS {
        let files = format!("[wrong]({}), [right]({})", lab.mistake_file, lab.fix_file);
        table += &format!("| [`{}`]({}) | {} | {} | {files} |\n", lab.name, lab.chapter(), lab.mistake, lab.fix);
    }
    table
}

#[test]
fn the_readme_has_the_table_of_labs() {
    let (readme, table) = (read("README.md"), table_of_labs());
    assert!(readme.contains(&table), "README.md's table of labs is not that of the registry, which is:\n{table}");
}

/// The list of chapters in workshop/README.md, from the registry and the chapters' own titles.
fn list_of_chapters() -> String {
    let entry = |chapter: String| {
        let title = read(&chapter).lines().next().and_then(|line| line.strip_prefix("# ")).unwrap().to_owned();
        format!("1. [{title}]({})\n", chapter.replacen("workshop/", "", 1))
    };
    LABS.iter().map(|lab| entry(lab.chapter())).collect()
}

#[test]
fn the_workshop_has_the_list_of_chapters() {
    let (readme, list) = (read("workshop/README.md"), list_of_chapters());
    assert!(readme.contains(&list), "workshop/README.md's list of chapters is not that of the labs, which is:\n{list}");
}

/// Groups without a folder of chapters are skipped.
#[test]
fn every_lab_has_its_chapter_and_every_chapter_its_lab() {
    let book = repository().join("workshop/src");
    for group in Group::ALL.into_iter().filter(|group| book.join(group.as_str()).exists()) {
        let expected: BTreeSet<_> = LABS.iter().filter(|lab| lab.group == group).map(|lab| lab.chapter()).collect();
        let there = fs::read_dir(book.join(group.as_str())).unwrap().map(|entry| entry.unwrap().file_name());
        let there = there.map(|name| format!("workshop/src/{group}/{}", name.to_str().unwrap())).collect();
        assert_eq!(expected, there, "a lab without its chapter, or the other way round");
        for lab in LABS.iter().filter(|lab| lab.group == group) {
            let text = read(&lab.chapter());
            assert!(text.contains(lab.repair_file), "{} does not lead to {}", lab.chapter(), lab.repair_file);
            for file in [lab.mistake_file, lab.fix_file] {
                let include = format!("{{{{#include ../../../{file}:{}}}}}", lab.name);
                assert!(text.contains(&include), "{} does not show {include}", lab.chapter());
            }
            assert!(
                text.contains(&format!("make lab NAME={}", lab.name)),
                "{} does not say how to run it",
                lab.chapter()
            );
        }
    }
}

#[test]
fn every_include_of_a_chapter_resolves() {
    let mut folders = vec![repository().join("workshop/src")];
    while let Some(folder) = folders.pop().filter(|folder| folder.exists()) {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for include in text.split("{{#include ").skip(1).map(|rest| rest.split("}}").next().unwrap().trim()) {
                let (file, anchor) = include.split_once(':').unwrap_or((include, ""));
                let included = fs::read_to_string(folder.join(file));
                let included = included.unwrap_or_else(|error| panic!("{}: {include}: {error}", path.display()));
                let found = anchor.is_empty() || anchored(&included, anchor).is_some();
                assert!(found, "{}: {include}: there is no such anchor", path.display());
            }
        }
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The lines between an anchor's marks.
fn anchored<'a>(text: &'a str, anchor: &str) -> Option<&'a str> {
    let begin = text.find(&format!("// ANCHOR: {anchor}\n"))?;
    let shown = &text[begin..];
    shown.find(&format!("// ANCHOR_END: {anchor}\n")).map(|end| &shown[..end])
}
