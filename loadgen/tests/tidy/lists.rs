//! The lists of labs in README.md, workshop/README.md and workshop/src/labs.md, made of what the labs say. `make lists`
//! writes them.

use std::fmt::Write as _;

use loadgen::lab::Group;

use crate::entry::{Entry, Missing};
use crate::made_part::MadePart;
use crate::tree::Tree;

const LIST: MadePart = MadePart {
    marks: ["<!-- labs: written by `make lists` -->\n", "<!-- end of labs -->\n"],
    form: "list",
    of: "labs",
};

/// The files that have a list.
pub(crate) const FILES: [&str; 3] = ["README.md", "workshop/README.md", "workshop/src/labs.md"];

/// The labs in README.md's table: the widest spread of mistakes, and those that most people have met.
const FIRST: [&str; 10] = [
    "pool-exhaustion",
    "blocked-executor",
    "wrong-canary",
    "orphaned-streams",
    "unbounded-queue",
    "queue-timeout-covers-call",
    "retry-storm",
    "buffered-stream",
    "db-held-during-call",
    "liveness-cascade",
];

/// The text of one of [`FILES`] with its list as it should be; `None` if the marks around it are missing.
pub(crate) fn with_list(file: &str, labs: &[Entry], tree: &Tree) -> Option<String> {
    LIST.in_page(file, tree, &list(file, labs, tree))
}

/// Lists that are not as they should be.
pub(crate) fn missing(labs: &[Entry], tree: &Tree) -> Vec<Missing> {
    FILES.into_iter().filter_map(|file| LIST.missing(file, tree, &list(file, labs, tree))).collect()
}

fn list(file: &str, labs: &[Entry], tree: &Tree) -> String {
    match file {
        "README.md" => first_labs(labs),
        "workshop/README.md" => chapters(labs, tree),
        _ => tables(labs),
    }
}

fn groups(labs: &[Entry]) -> impl Iterator<Item = (Group, Vec<&Entry>)> {
    let of = |group| labs.iter().filter(|lab| lab.group == group).collect();
    Group::ALL.into_iter().map(move |group| (group, of(group))).filter(|(_, labs): &(_, Vec<_>)| !labs.is_empty())
}

fn title(group: Group) -> &'static str {
    match group {
        Group::Threads => "Threads: pools and the event loop",
        Group::Calls => "Calls to the vendor: queues, limits, retries, timeouts, streams",
        Group::Operations => "Operation: health checks, restarts, shutdown, balancers",
    }
}

const HEAD: &str = "| lab | wrong | right |\n|---|---|---|\n";

/// The row of a lab. Its links are for a file from which `root` leads to the repository's root.
fn row(lab: &Entry, root: &str) -> String {
    let Entry { name, mistake, fix, fix_file, .. } = lab;
    let (chapter, wrong) = (lab.chapter(), lab.mistake_file());
    format!("| [`{name}`]({root}{chapter}) | [{mistake}]({root}{wrong}) | [{fix}]({root}{fix_file}) |\n")
}

/// A table for each group.
fn tables(labs: &[Entry]) -> String {
    let mut text = String::new();
    for (group, labs) in groups(labs) {
        write!(text, "\n## {}\n\n{HEAD}", title(group)).unwrap();
        text.extend(labs.into_iter().map(|lab| row(lab, "../../")));
    }
    text + "\n"
}

/// A table of the first labs, and the names of all others.
fn first_labs(labs: &[Entry]) -> String {
    let is_first = |lab: &&&Entry| FIRST.contains(&lab.name.as_str());
    let mut text = format!("\n{HEAD}");
    text.extend(labs.iter().filter(|lab| is_first(&lab)).map(|lab| row(lab, "")));
    for (group, labs) in groups(labs) {
        let others = labs.iter().filter(|lab| !is_first(lab));
        let links: Vec<_> = others.map(|lab| format!("[`{}`]({})", lab.name, lab.chapter())).collect();
        write!(text, "\n**{}**, also: {}.\n", title(group), links.join(",\n")).unwrap();
    }
    text + "\n"
}

/// A list of chapters for each group, with the chapters' own titles.
fn chapters(labs: &[Entry], tree: &Tree) -> String {
    let mut text = String::new();
    for (group, labs) in groups(labs) {
        write!(text, "\n## {}\n\n", title(group)).unwrap();
        for lab in labs {
            let first = tree.text(&lab.chapter()).and_then(|text| text.lines().next()).unwrap_or_default();
            let title = first.strip_prefix("# ").unwrap_or(&lab.name);
            writeln!(text, "- [{title}](src/{}/{}.md)", lab.group, lab.name).unwrap();
        }
    }
    text + "\n"
}

#[test]
fn the_labs_of_the_first_table_are_there() {
    for name in FIRST {
        assert!(loadgen::labs::all().iter().any(|lab| lab.name == name), "{name}");
    }
}
