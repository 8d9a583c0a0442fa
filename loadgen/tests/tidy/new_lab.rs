//! `make new-lab`, in a copy of the files that it reads and writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadgen::lab::Group;

use crate::entry::{Entry, Missing};
use crate::tree::Tree;
use crate::{chapters, code, repository, root};

const FOLDERS: [&str; 5] = [
    "broken-server/src/mistakes",
    "broken-server/src/call_style/",
    "loadgen/src/labs",
    "fixed-server/src/stack",
    "workshop/",
];

/// A copy, removed at the end.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("new-lab-{name}-{}", std::process::id()));
        let tree = repository();
        for (file, text) in FOLDERS.iter().flat_map(|folder| tree.under(folder)) {
            let to = folder.join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, text).unwrap();
        }
        Copy(folder)
    }

    fn tree(&self) -> Tree {
        Tree::of(&self.0)
    }

    /// Runs the script. Returns its exit code and what it said.
    fn new_lab(&self, name: &str, group: &str) -> (Option<i32>, String) {
        let script = root().join("scripts/new-lab.sh");
        let variables = [("NAME", name.as_ref()), ("GROUP", group.as_ref()), ("ROOT", self.0.as_os_str())];
        let output = Command::new("sh").arg(script).envs(variables).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said.into_owned())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // A copy that cannot be removed is left behind in the folder of what is built.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn skeleton(name: &str, group: Group) -> Entry {
    Entry {
        name: name.to_owned(),
        group,
        mistake: String::new(),
        fix: String::new(),
        fix_file: "fixed-server/src/stack.rs".to_owned(),
        fix_anchor: name.to_owned(),
        repair_file: "broken-server/src/mistakes/none.rs".to_owned(),
    }
}

#[test]
fn a_new_lab_has_all_of_its_files_and_what_is_left_is_named() {
    let copy = Copy::new("complete");
    for group in Group::ALL {
        for name in ["zero-one", "made-up"] {
            let name = format!("{name}-{}", &group.as_str()[..3]);
            let (code, said) = copy.new_lab(&name, group.as_str());
            let (lab, tree) = (skeleton(&name, group), copy.tree());
            assert_eq!(code, Some(0), "{said}");
            for file in [lab.mistake_file(), lab.lab_file(), lab.chapter()] {
                assert!(
                    said.contains(&file) && tree.text(&file).is_some_and(|text| !text.contains('@')),
                    "{file}: {said}"
                );
                let left = code::left_to_fill_in(&tree);
                assert!(left.iter().any(|missing| missing.file.starts_with(&file)), "{file} has nothing to fill in");
            }
            let missing: Vec<_> = code::missing(&lab, &tree).iter().map(of).collect();
            assert_eq!(missing, ["fixed-server/src/stack.rs write, around the lines that are right"], "{name}");
            let missing: Vec<_> = chapters::missing(&lab, &tree).iter().map(of).collect();
            assert_eq!(missing, [format!("{} write, under `## The fix`", lab.chapter())], "{name}");
            is_the_last_of_its_group(&lab, &tree);
        }
    }
}

fn of(missing: &Missing) -> String {
    format!("{} {}", missing.file, missing.place)
}

fn is_the_last_of_its_group(lab: &Entry, tree: &Tree) {
    let (entry, of_lab) = (format!("{}::ENTRY", lab.stem()), format!("{}::lab()", lab.stem()));
    let list = tree.text(&lab.mistakes_of_group()).unwrap().split("const MISTAKES").nth(1).unwrap();
    let after = list.split(&entry).nth(1).unwrap();
    assert!(!after.contains("::ENTRY") && after.contains("];"), "{list}");
    let labs = tree.text("loadgen/src/labs.rs").unwrap();
    let in_group = labs.split(&format!("// {}\n", lab.group)).nth(1).unwrap();
    let next = in_group.lines().find(|line| line.trim_start().starts_with("// ") || line.trim().starts_with(']'));
    let in_group = in_group.split(next.unwrap()).next().unwrap();
    assert_eq!(in_group.trim().lines().last().unwrap().trim(), format!("{of_lab},"), "{labs}");
    let modules: Vec<_> =
        labs.lines().take_while(|line| !line.starts_with("use ")).filter(|line| line.starts_with("mod ")).collect();
    assert!(modules.is_sorted() && modules.contains(&&*format!("mod {};", lab.stem())), "{modules:?}");
}

#[test]
fn bad_input_is_named_and_nothing_is_written() {
    let copy = Copy::new("refused");
    let before = copy.tree();
    for (name, group, named) in [
        ("", "calls", "NAME is ''"),
        ("no_deadline", "calls", "lower-case words with hyphens"),
        ("No-deadline", "calls", "lower-case words with hyphens"),
        ("no--deadline", "calls", "lower-case words with hyphens"),
        ("../x", "calls", "NAME is '../x'"),
        ("a;b", "calls", "NAME is 'a;b'"),
        ("type", "calls", "a word of Rust"),
        ("a-name-of-21-letters-", "calls", "NAME is"),
        ("a-name-of-over-25-letters-x", "calls", "at most 25 characters"),
        ("no-deadline", "", "GROUP is '', expected threads, calls or operations"),
        ("no-deadline", "call", "GROUP is 'call'"),
        ("pool-exhaustion", "calls", "broken-server/src/mistakes/threads/pool_exhaustion.rs"),
        ("none", "calls", "broken-server/src/mistakes/none.rs"),
        ("demo", "calls", "loadgen/src/labs/demo.rs"),
    ] {
        let (code, said) = copy.new_lab(name, group);
        assert!(
            code == Some(2) && said.contains(named) && said.starts_with("make new-lab: "),
            "{name}: {code:?} {said}"
        );
        assert!(copy.tree() == before, "{name}: something was written");
    }
}
