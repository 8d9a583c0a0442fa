//! The rules for a lab's chapter.

use loadgen::marks::anchored;

use crate::entry::{Entry, Missing};
use crate::tree::Tree;

/// The headings of every chapter, in this order. A chapter may divide a part with headings of the third level.
pub(crate) const HEADINGS: [&str; 7] = [
    "## The symptom",
    "## Run it",
    "## The mistake",
    "## The fix",
    "## Why it happens",
    "## What it does not prove",
    "## What the sources say",
];

/// What is missing in the chapter of a lab.
pub(crate) fn missing(lab: &Entry, tree: &Tree) -> Vec<Missing> {
    let (name, file) = (&lab.name, lab.chapter());
    let Some(text) = tree.text(&file) else {
        let how = format!("the chapter is missing; `make new-lab NAME={name} GROUP={}` writes one", lab.group);
        return vec![Missing::file(file, how)];
    };
    let mut missing = Vec::new();
    if !text.starts_with(&format!("# {name}: ")) {
        missing.push(Missing::new(&file, "write, as the first line", format!("# {name}: ...")));
    }
    missing.extend(of_headings(&file, text));
    let include = |file: &str, anchor: &str| format!("{{{{#include ../../../{file}:{anchor}}}}}");
    for (heading, line) in [
        (HEADINGS[1], format!("make lab NAME={name}")),
        (HEADINGS[1], format!("{{{{#include ../outputs/{name}.txt}}}}")),
        (HEADINGS[2], include(&lab.mistake_file(), name)),
        (HEADINGS[3], include(&lab.fix_file, &lab.fix_anchor)),
        (HEADINGS[3], format!("`{}`", lab.repair_file)),
        (HEADINGS[3], format!("`make lab NAME={name} MENDED=1`")),
    ] {
        if !part(text, heading).lines().any(|there| says(there, &line)) {
            missing.push(Missing::new(&file, format!("write, under `{heading}`"), line));
        }
    }
    missing
}

/// The lines under a heading.
fn part<'a>(text: &'a str, heading: &str) -> &'a str {
    let rest = text.split_once(&format!("{heading}\n")).map_or("", |(_, rest)| rest);
    rest.split("\n## ").next().unwrap_or_default()
}

/// Whether a line has this text: a command is a line of its own, so that it can be copied.
fn says(there: &str, text: &str) -> bool {
    if text.starts_with("make ") { there == text } else { there.contains(text) }
}

fn of_headings(file: &str, text: &str) -> Option<Missing> {
    let there: Vec<_> = text.lines().filter(|line| line.starts_with("## ")).collect();
    let at = (0..HEADINGS.len().max(there.len())).find(|at| there.get(*at) != HEADINGS.get(*at))?;
    Some(match (there.get(at), HEADINGS.get(at)) {
        (Some(other), _) if !HEADINGS.contains(other) => {
            Missing::new(file, format!("`{other}` is not in the form of a chapter: write"), format!("#{other}"))
        }
        (_, Some(heading)) if there.contains(heading) => {
            Missing::new(file, "the headings of a chapter have this order", HEADINGS.join("\n"))
        }
        (_, Some(heading)) if at > 0 => {
            Missing::new(file, format!("write, after the part `{}`", HEADINGS[at - 1]), *heading)
        }
        (_, heading) => Missing::new(file, "write, as the first part", heading.copied().unwrap_or(HEADINGS[0])),
    })
}

/// Chapters of no lab, and files and anchors that a chapter includes and that are not there.
pub(crate) fn orphans(labs: &[Entry], tree: &Tree) -> Vec<Missing> {
    let mut found = Vec::new();
    for (file, text) in tree.under("workshop/src/").filter(|(file, _)| file.ends_with(".md")) {
        // Beside the groups' folders are pages about all labs.
        let is_chapter = file.matches('/').count() > "workshop/src/".matches('/').count();
        if is_chapter && !labs.iter().any(|lab| lab.chapter() == file) {
            found.push(Missing::file(file, "this chapter is no lab's: remove it, or register the lab"));
        }
        let includes = text.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next());
        for include in includes {
            let (path, anchor) = include.split_once(':').unwrap_or((include, ""));
            let included = resolved(file, path);
            if included.starts_with("workshop/src/outputs/") {
                continue;
            }
            let there = tree.text(&included);
            if there.is_none_or(|text| !anchor.is_empty() && anchored(text, anchor).is_none()) {
                let place = format!("it includes what is not there: `{anchor}` of {included}");
                found.push(Missing::new(file, place, format!("{{{{#include {include}}}}}")));
            }
        }
    }
    found
}

/// The file that `path` leads to from `file`.
fn resolved(file: &str, path: &str) -> String {
    let mut parts: Vec<_> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
