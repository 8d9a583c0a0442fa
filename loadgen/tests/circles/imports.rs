//! Which file imports from which.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Crate, Module, Place, Use};

/// For each file the files that it takes something from, each with one of the paths by which it does.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, String>>;

/// How often a name may be handed on before its file is found.
const HANDED_ON_MAX: u32 = 16;

/// The imports between the files of `source`.
pub(crate) fn imports(source: &Crate) -> Imports {
    let mut imports = Imports::new();
    for (place, module) in &source.modules {
        let used = module.uses.iter().filter(|import| is_used(source, place, module, import)).map(|used| &used.path);
        for path in used.chain(&module.paths) {
            for target in source.targets(place, path, HANDED_ON_MAX).into_iter().filter(|target| target != place) {
                let from = imports.entry(module.file.clone()).or_default();
                from.entry(source.modules[&target].file.clone()).or_insert_with(|| path.join("::"));
            }
        }
    }
    imports
}

/// Whether the module's own code uses what it imports. What it hands on from below it does not count, unless the
/// name stands in its code; nor does a module that it imports: the paths that begin with it do.
fn is_used(source: &Crate, place: &Place, module: &Module, import: &Use) -> bool {
    if source.module_at(place, &import.path).is_some() {
        return false;
    }
    let below = |target: &Place| target.len() > place.len() && target.starts_with(place);
    let handed_on = import.is_public && source.targets(place, &import.path, 0).iter().all(below);
    !handed_on || module.names.contains(&import.alias)
}

impl Crate {
    /// The modules that `path`, written in `place`, takes something from: none where it leads out of the crate.
    fn targets(&self, place: &Place, path: &[String], handed_on: u32) -> BTreeSet<Place> {
        let Some((module, names)) = self.walk(place, path) else { return BTreeSet::new() };
        let Some(name) = names.first() else { return BTreeSet::from([module]) };
        let others = || self.modules[&module].uses.iter().filter(|other| other.is_public || module == *place);
        let same_name = others().filter(|other| other.alias == *name && other.path != *path);
        let globs = others().filter(|other| other.alias == "*" && self.hands_on(&module, other, name));
        let found = match handed_on.checked_sub(1) {
            None => BTreeSet::new(),
            Some(left) => same_name.chain(globs).flat_map(|other| self.targets(&module, &other.path, left)).collect(),
        };
        if found.is_empty() { BTreeSet::from([module]) } else { found }
    }

    /// Whether `name` is among all the names that `glob` hands on.
    fn hands_on(&self, place: &Place, glob: &Use, name: &str) -> bool {
        let below = self.walk(place, &glob.path).map(|(module, _)| module);
        below.is_some_and(|module| self.modules[&module].names.contains(name))
    }

    /// The module that `path` names, where it names one and nothing in it.
    fn module_at(&self, place: &Place, path: &[String]) -> Option<Place> {
        self.walk(place, path).filter(|(_, names)| names.is_empty()).map(|(module, _)| module)
    }

    /// Follows `path` from `place` as long as it leads to modules: the last one, and the names that are left.
    fn walk<'a>(&self, place: &Place, path: &'a [String]) -> Option<(Place, &'a [String])> {
        let (first, mut names) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => place.clone(),
            "super" => place.split_last()?.1.to_vec(),
            child if self.is_module(place, child) => [&place[..], &[child.to_owned()]].concat(),
            alias => self.imported_module(place, alias, path)?,
        };
        while let Some((next, rest)) = names.split_first() {
            if next == "super" {
                at.pop();
            } else if self.is_module(&at, next) {
                at.push(next.clone());
            } else {
                break;
            }
            names = rest;
        }
        self.modules.contains_key(&at).then_some((at, names))
    }

    /// The module that is called `alias` in `place` by a `use` other than `path`.
    fn imported_module(&self, place: &Place, alias: &str, path: &[String]) -> Option<Place> {
        let uses = &self.modules.get(place)?.uses;
        let import = uses.iter().find(|import| import.alias == alias && import.path.as_slice() != path)?;
        if import.path.first().is_some_and(|first| first == alias) {
            return None;
        }
        self.module_at(place, &import.path)
    }

    fn is_module(&self, place: &Place, child: &str) -> bool {
        self.modules.contains_key(&[&place[..], &[child.to_owned()]].concat())
    }
}
