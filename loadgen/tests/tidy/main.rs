//! What ARCHITECTURE.md promises about the code, and the links from a lab to its mistake, its fix and its chapter.
//!
//! For whatever is missing these tests say the file and the line to write.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod chapters;
mod checklist;
mod code;
mod comments;
mod entry;
mod lists;
mod made_part;
mod made_up;
mod new_lab;
mod outputs;
mod platforms;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadgen::labs;
use loadgen::marks::anchors;
use loadgen::session::listed;

use entry::{Entry, assert_complete};
use outputs::Printed;
use tree::Tree;

const LINES_MAX: usize = 300;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn repository() -> Tree {
    let tree = Tree::of(&root());
    assert!(tree.sources().count() > 100, "only {} files were found", tree.sources().count());
    tree
}

fn all_labs(tree: &Tree) -> Vec<Entry> {
    labs::all().iter().map(|lab| Entry::of(lab, tree)).collect()
}

#[test]
fn no_file_is_over_300_lines() {
    let tree = repository();
    let long: Vec<_> = tree.sources().filter(|(_, text)| text.lines().count() > LINES_MAX).collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {:?}", long.iter().map(|(file, _)| file).collect::<Vec<_>>());
}

#[test]
fn every_file_begins_with_its_purpose() {
    let tree = repository();
    let silent: Vec<_> = tree.sources().filter(|(_, text)| !text.starts_with("//! ")).collect();
    assert!(silent.is_empty(), "without `//!`: {:?}", silent.iter().map(|(file, _)| file).collect::<Vec<_>>());
}

#[test]
fn no_comment_is_too_wide() {
    assert_complete(&comments::too_wide(&repository()));
}

#[test]
fn every_anchor_has_its_end() {
    let tree = repository();
    for (file, text) in tree.sources().filter(|(file, _)| !file.starts_with("loadgen/tests/tidy/")) {
        let (mut begun, mut ended) = anchors(text);
        begun.sort_unstable();
        ended.sort_unstable();
        assert_eq!(begun, ended, "{file}");
    }
}

#[test]
fn nothing_is_left_to_fill_in() {
    assert_complete(&code::left_to_fill_in(&repository()));
}

#[test]
fn a_lab_leads_to_its_mistake_and_its_fix() {
    let tree = repository();
    let labs = all_labs(&tree);
    let mut missing: Vec<_> = labs.iter().flat_map(|lab| code::missing(lab, &tree)).collect();
    missing.extend(code::orphans(&labs, &tree));
    missing.extend(code::repeated(&labs, &tree));
    assert_complete(&missing);
}

#[test]
fn every_lab_has_its_chapter_and_every_chapter_its_lab() {
    let tree = repository();
    let labs = all_labs(&tree);
    let mut missing: Vec<_> = labs.iter().flat_map(|lab| chapters::missing(lab, &tree)).collect();
    missing.extend(chapters::orphans(&labs, &tree));
    assert_complete(&missing);
}

#[test]
fn the_lists_in_the_readmes_are_those_of_the_labs() {
    let tree = repository();
    assert_complete(&lists::missing(&all_labs(&tree), &tree));
}

#[test]
fn the_table_of_platforms_is_that_of_diagnose() {
    assert_complete(&platforms::missing(&repository()));
}

#[test]
fn the_outputs_in_the_chapters_are_those_of_the_labs() {
    let tree = repository();
    let labs = all_labs(&tree);
    let of_labs = labs::all().iter().flat_map(|lab| outputs::missing(&Entry::of(lab, &tree), &Printed::of(lab), &tree));
    assert_complete(&of_labs.chain(outputs::orphans(&labs, &tree)).collect::<Vec<_>>());
}

/// `make lists`. Everything that a list says stands in a lab or in the title of its chapter.
#[test]
#[ignore = "it writes README.md and the lists of the workshop"]
fn write_lists() {
    let tree = repository();
    let labs = all_labs(&tree);
    for file in lists::FILES {
        let text =
            lists::with_list(file, &labs, &tree).unwrap_or_else(|| panic!("{file} has no marks around its list"));
        fs::write(root().join(file), text).unwrap();
    }
    let page = platforms::with_table(&tree);
    let page = page.unwrap_or_else(|| panic!("{} has no marks around its table", platforms::FILE));
    fs::write(root().join(platforms::FILE), page).unwrap();
}

/// What a program of the repository prints with these arguments.
fn printed_by(program: &str, args: &[&str]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name(program);
    let output = Command::new(&program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}: run `make test`", program.display()));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_checklist_refers_to_what_exists() {
    let help = |command: &[&str]| {
        let [program, subcommand @ ..] = command else { return None };
        let known = ["mock-llm", "broken-server", "fixed-server", "loadgen"].contains(program);
        known.then(|| printed_by(program, &[subcommand, &["--help"]].concat()))
    };
    assert_complete(&checklist::missing(&repository(), help));
}

/// The mistakes of broken-server and their groups, as it lists them itself.
fn mistakes() -> Vec<code::Listed> {
    let listed = listed(&printed_by("broken-server", &["--list"]));
    let mut mistakes: Vec<_> = listed.into_iter().map(|mistake| (mistake.name, mistake.group)).collect();
    mistakes.retain(|(_, group)| group != "control");
    mistakes
}

#[test]
fn every_mistake_has_its_lab_in_the_same_group_and_order() {
    assert_complete(&code::unpaired(&all_labs(&repository()), &mistakes()));
}
