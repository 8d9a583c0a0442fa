//! The rules for the code of a lab: its mistake, its fix, and the lists that name them.

use loadgen::marks::{FIX, MISTAKE, anchored, marked};

use crate::entry::{Entry, Missing};
use crate::tree::Tree;

/// What is missing in the code of a lab.
pub(crate) fn missing(lab: &Entry, tree: &Tree) -> Vec<Missing> {
    let mut missing = of_mistake(lab, tree);
    missing.extend(of_list(lab, tree));
    missing.extend(of_fix(lab, tree));
    if tree.text(&lab.lab_file()).is_none() {
        missing.push(Missing::file(lab.lab_file(), format!("move lab {} into this file", lab.name)));
    }
    if !lab.repair_file.starts_with("broken-server/") || tree.text(&lab.repair_file).is_none() {
        let place = format!("`repair_file` is `{}`, which is no file of broken-server: write", lab.repair_file);
        missing.push(Missing::new(lab.lab_file(), place, "repair_file: \"broken-server/src/call_style/once.rs\","));
    }
    missing
}

fn of_mistake(lab: &Entry, tree: &Tree) -> Vec<Missing> {
    let (name, file) = (&lab.name, lab.mistake_file());
    let Some(text) = tree.text(&file) else {
        let how = format!("the file is missing; `make new-lab NAME={name} GROUP={}` writes one", lab.group);
        return vec![Missing::file(file, how)];
    };
    let mut missing = Vec::new();
    let title = format!("//! Mistake `{name}`.");
    if !text.starts_with(&format!("{title}\n")) {
        missing.push(Missing::new(&file, "write, as the first line", title));
    }
    let fix = format!("//! Fix: {}", lab.fix_file);
    for (head, rest) in
        [("//! What is wrong: ", "..."), ("//! Symptom: ", "..."), (&fix, ", where ..."), ("//! Source: ", "...")]
    {
        if !text.lines().any(|line| line.starts_with(head)) {
            missing.push(Missing::new(&file, "write, in the head of the file", format!("{head}{rest}")));
        }
    }
    let shown = anchored(text, name).unwrap_or_default();
    if marked(shown, MISTAKE) != [name] {
        let lines = format!("// ANCHOR: {name}\n{MISTAKE}{name}: what is wrong here.\n...\n// ANCHOR_END: {name}");
        missing.push(Missing::new(&file, "write, around the lines at fault", lines));
    }
    missing
}

/// The group's list in broken-server: the module and the entry.
fn of_list(lab: &Entry, tree: &Tree) -> Vec<Missing> {
    let (file, stem) = (lab.mistakes_of_group(), lab.stem());
    let text = tree.text(&file).unwrap_or_default();
    let lines = [
        ("write, with the modules", format!("pub(crate) mod {stem};")),
        ("write, in `MISTAKES`, in the place that the lab has in `loadgen/src/labs.rs`", format!("{stem}::ENTRY,")),
    ];
    let missing = lines.into_iter().filter(|(_, line)| !names(text, line.trim_end_matches([',', ';'])));
    missing.map(|(place, line)| Missing::new(&file, place, line)).collect()
}

/// Whether a list has this item, on a line of its own or among others.
fn names(list: &str, item: &str) -> bool {
    let ends = |at: usize| !list[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
    list.match_indices(item).any(|(at, _)| ends(at))
}

fn of_fix(lab: &Entry, tree: &Tree) -> Option<Missing> {
    let (name, anchor) = (&lab.name, &lab.fix_anchor);
    let Some(text) = tree.text(&lab.fix_file) else {
        let how = format!("`fix_file` of lab {name} is not there: correct {}", lab.lab_file());
        return Some(Missing::file(&lab.fix_file, how));
    };
    let Some(shown) = anchored(text, anchor) else {
        let lines = format!("// ANCHOR: {anchor}\n{FIX}{name}: why this is right.\n...\n// ANCHOR_END: {anchor}");
        return Some(Missing::new(&lab.fix_file, "write, around the lines that are right", lines));
    };
    if marked(shown, FIX).contains(&&**name) {
        return None;
    }
    // A place that fixes something already names one more.
    let there = shown.lines().find_map(|line| line.trim_start().strip_prefix(FIX));
    let others = there.and_then(|rest| rest.split_once(':'));
    let (names, why) =
        others.map_or((name.clone(), " why this is right."), |(names, why)| (format!("{names}, {name}"), why));
    let place = format!("write, after `// ANCHOR: {anchor}`");
    Some(Missing::new(&lab.fix_file, place, format!("{FIX}{names}:{why}")))
}

/// Marks that stand twice: a reader who looks for one finds one place.
pub(crate) fn repeated(labs: &[Entry], tree: &Tree) -> Vec<Missing> {
    let mut found = Vec::new();
    for (folder, mark) in [("broken-server/src/", MISTAKE), ("fixed-server/src/", FIX)] {
        for name in labs.iter().map(|lab| &lab.name) {
            let files = tree.under(folder).flat_map(|(file, text)| {
                marked(text, mark).into_iter().filter(|marked| marked == name).map(move |_| file)
            });
            let again = files
                .skip(1)
                .map(|file| Missing::new(file, "this mark stands elsewhere too: remove one", format!("{mark}{name}:")));
            found.extend(again);
        }
    }
    found
}

/// Marks of labs that do not exist, and files of labs that are in no list.
pub(crate) fn orphans(labs: &[Entry], tree: &Tree) -> Vec<Missing> {
    let known = |name: &str| labs.iter().any(|lab| lab.name == name);
    let mut found = Vec::new();
    for (file, text) in tree.sources().filter(|(file, _)| !file.starts_with("loadgen/tests/")) {
        for mark in [MISTAKE, FIX] {
            let strangers = marked(text, mark).into_iter().filter(|name| !known(name));
            found.extend(strangers.map(|name| {
                Missing::new(file, "this mark names no lab: remove it, or register the lab", format!("{mark}{name}:"))
            }));
        }
    }
    let in_files = tree.under("loadgen/src/labs/").filter(|(_, text)| text.contains("fn lab() -> Lab"));
    for (file, _) in in_files.filter(|(file, _)| !labs.iter().any(|lab| lab.lab_file() == *file)) {
        let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".rs");
        let lines = format!("mod {stem};\n...\n{stem}::lab(),");
        found.push(Missing::new(
            "loadgen/src/labs.rs",
            "write, in the list of modules and in the list of its group",
            lines,
        ));
    }
    found
}

/// A mistake and its group, as broken-server lists them.
pub(crate) type Listed = (String, String);

/// Mistakes without a lab, and labs in another order or group than their mistakes.
pub(crate) fn unpaired(labs: &[Entry], mistakes: &[Listed]) -> Vec<Missing> {
    let file = "loadgen/src/labs.rs";
    let without = mistakes.iter().filter(|(name, _)| !labs.iter().any(|lab| lab.name == *name));
    let missing = without.map(|(name, group)| {
        let stem = name.replace('-', "_");
        let place = format!("mistake {name} has no lab: write, with the modules and under `// {group}`");
        Missing::new(file, place, format!("mod {stem};\n{stem}::lab(),"))
    });
    let missing: Vec<_> = missing.collect();
    let there: Vec<_> = labs.iter().map(|lab| (lab.name.clone(), lab.group.to_string())).collect();
    if !missing.is_empty() || there == mistakes {
        return missing;
    }
    let lines: Vec<_> = mistakes.iter().map(|(name, _)| format!("{}::lab(),", name.replace('-', "_"))).collect();
    vec![Missing::new(
        file,
        "in the order and the groups of broken-server/src/mistakes/GROUP.rs, write",
        lines.join("\n"),
    )]
}

/// Words of a skeleton that nobody has filled in.
pub(crate) fn left_to_fill_in(tree: &Tree) -> Vec<Missing> {
    let written =
        |file: &str| file.ends_with(".rs") && !file.starts_with("loadgen/tests/") || file.starts_with("workshop/");
    let lines = tree.under("").filter(|(file, _)| written(file)).flat_map(|(file, text)| {
        text.lines().enumerate().map(move |(at, line)| (format!("{file}:{}", at + 1), line.trim()))
    });
    let left = lines.filter(|(_, line)| line.contains("TODO"));
    left.map(|(place, line)| Missing::new(place, "fill this in", line)).collect()
}
