//! No file of a crate imports, directly or through others, a file that imports it: each can be read from the
//! top down, and nothing has to be understood before itself.
//!
//! What counts is what a file's own code takes from another. Declaring a child (`mod child;`) and handing its items
//! on (`pub use child::Item;`) takes nothing. Code under `#[cfg(test)]` is left out: tests look at everything.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod graph;
mod imports;
mod source;
mod tokens;

use std::path::{Path, PathBuf};

use graph::circles;
use imports::imports;
use source::Crate;

/// The crates of the workspace: its folders with a `src`.
fn crates() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace");
    let folders = workspace.read_dir().expect("the workspace can be read");
    let mut crates: Vec<_> = folders.map(|entry| entry.expect("its entries can be read").path()).collect();
    crates.retain(|folder| folder.join("Cargo.toml").exists() && folder.join("src").exists());
    crates.sort();
    crates
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let crates = crates();
    assert!(crates.len() > 5, "looked at {crates:?}");
    let mut found = String::new();
    for folder in crates {
        let source = Crate::read(&folder);
        let imports = imports(&source);
        assert!(source.modules.len() < 5 || !imports.is_empty(), "no imports found in {}", folder.display());
        found += &circles(&imports).iter().map(|circle| circle.describe(&folder)).collect::<String>();
    }
    assert!(found.is_empty(), "files that import each other in a circle:\n{found}");
}

#[test]
fn circles_are_found_whatever_form_the_imports_have() {
    for (a, b, circle) in [
        ("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;", true),
        ("use super::b::{self, C}; pub struct A;", "fn f() { crate::a::A; } pub struct C;", true),
        ("fn f() { super::b::g(); } pub struct A;", "use crate::{a::A as X}; pub fn g() {}", true),
        ("use crate::b; fn f() { b::g(); } pub struct A;", "use crate::A; pub fn g() {}", true),
        ("use crate::b::B; pub struct A;", "/* crate::a::A */ pub struct B; // crate::a::A", false),
        ("use crate::b::B; pub struct A;", "pub struct B; const T: &str = \"crate::a::A\";", false),
        ("use crate::b::B; pub struct A;", "#[cfg(test)] mod tests { use crate::a::A; } pub struct B;", false),
        ("use crate::b::B; pub struct A;", "use std::fmt; pub struct B;", false),
    ] {
        let source = Crate::of([("src/lib.rs", "mod a; mod b; pub use a::A;"), ("src/a.rs", a), ("src/b.rs", b)]);
        assert_eq!(!circles(&imports(&source)).is_empty(), circle, "{a} | {b}");
    }
}

#[test]
fn a_parent_may_hand_on_its_children_but_not_use_them_too() {
    for (parent, child, circle) in [
        ("mod child; pub use child::C; pub struct P;", "use super::P; pub struct C;", false),
        ("mod child; pub(crate) use child::*; pub struct P;", "use super::P; pub struct C;", false),
        ("mod child; pub use child::C; pub fn f(_: C) {} pub struct P;", "use super::P; pub struct C;", true),
        ("mod child; use child::C; pub struct P;", "use super::P; pub struct C;", true),
        ("mod child; fn f() { child::g(); } pub struct P;", "use crate::parent::P; pub fn g() {}", true),
        ("mod child; fn f() { child::g(); }", "pub fn g() {}", false),
    ] {
        let files = [("src/lib.rs", "mod parent;"), ("src/parent.rs", parent), ("src/parent/child.rs", child)];
        assert_eq!(!circles(&imports(&Crate::of(files))).is_empty(), circle, "{parent} | {child}");
    }
}
