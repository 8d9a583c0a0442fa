//! Circles of a graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::imports::Imports;

/// Files of which each imports each other, through others of them.
pub(crate) struct Circle {
    files: BTreeSet<String>,
    /// From file to file, each with a path by which it imports.
    edges: Vec<(String, String, String)>,
}

/// All circles: two files are in the same one when each is reached from the other.
pub(crate) fn circles(imports: &Imports) -> Vec<Circle> {
    let reached: BTreeMap<_, _> = imports.keys().map(|file| (file, reached(imports, file))).collect();
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for (file, targets) in &reached {
        let back = |target: &&String| reached.get(target).is_some_and(|targets| targets.contains(*file));
        let files: BTreeSet<String> = targets.iter().filter(back).cloned().collect();
        if !files.is_empty() && seen.insert(files.clone()) {
            circles.push(Circle { edges: edges(imports, &files), files });
        }
    }
    circles
}

fn reached(imports: &Imports, from: &String) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(
            imports.get(file).into_iter().flatten().map(|(to, _)| to).filter(|to| reached.insert((*to).clone())),
        );
    }
    reached
}

fn edges(imports: &Imports, files: &BTreeSet<String>) -> Vec<(String, String, String)> {
    let all = files.iter().flat_map(|from| imports[from].iter().map(move |(to, path)| (from, to, path)));
    all.filter(|(_, to, _)| files.contains(*to))
        .map(|(from, to, path)| (from.clone(), to.clone(), path.clone()))
        .collect()
}

impl Circle {
    /// Its files and what ties them, for whoever unties them.
    pub(crate) fn describe(&self, folder: &Path) -> String {
        let mut text = format!("{}: {} files\n", folder.display(), self.files.len());
        for (from, to, path) in &self.edges {
            text += &format!("  {from} -> {to}: {path}\n");
        }
        text
    }
}
