//! The rules for the workshop's checklist: whatever it refers to exists, each of its rows refers to something, and it has
//! each step of fixed-server's order.

use crate::entry::Missing;
use crate::tree::Tree;

/// The page.
pub(crate) const FILE: &str = "workshop/src/checklist.md";
/// Where the steps are.
const STEPS: &str = "fixed-server/src/stack.rs";

/// What of the page is missing. `help` returns what a program prints with `--help`, given the words of its command;
/// `None` if there is no such program.
pub(crate) fn missing(tree: &Tree, help: impl Fn(&[&str]) -> Option<String>) -> Vec<Missing> {
    let Some(page) = tree.text(FILE) else { return vec![Missing::file(FILE, "the page is missing")] };
    let absent = references(page).filter(|reference| !reference.exists(tree, &help));
    let absent = absent.map(|reference| Missing::new(FILE, "it refers to what does not exist", reference.to_string()));
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let rows = rows.filter(|row| !row.contains("| shown by |"));
    let bare = rows.filter(|row| references(shown_by(row)).next().is_none());
    let bare = bare.map(|row| Missing::new(FILE, "write, at the end of this row, what shows it", row));
    let steps = tree.text(STEPS).into_iter().flat_map(steps).map(|step| format!("| `{step}` |"));
    let steps =
        steps.filter(|step| !page.contains(step)).map(|step| Missing::new(FILE, "write a row for the step", step));
    absent.chain(bare).chain(steps).collect()
}

/// The last cell of a row.
fn shown_by(row: &str) -> &str {
    row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default()
}

/// The numbered steps of the order: `6. Permit`.
fn steps(code: &str) -> impl Iterator<Item = String> {
    code.lines().filter_map(|line| {
        let (number, rest) = line.trim_start().strip_prefix("// ")?.split_once(". ")?;
        number.parse::<u32>().ok()?;
        Some(format!("{number}. {}", rest.split('.').next()?))
    })
}

/// Something that the page refers to.
#[derive(Debug, PartialEq, Eq)]
enum Reference<'a> {
    /// `](calls/no-deadline.md)`
    Link(&'a str),
    /// `resilience/src/deadline.rs`
    File(&'a str),
    /// `resilience/src/deadline.rs::steps_share_one_deadline`
    Test(&'a str, &'a str),
    /// `loadgen run --slo`: the words of the command, and the flag.
    Flag(Vec<&'a str>, &'a str),
}

/// Those of a text, first the links.
fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    let links = text.split("](").skip(1).filter_map(|rest| Some(Reference::Link(rest.split_once(')')?.0)));
    let spans = text.split('`').skip(1).step_by(2);
    links.chain(spans.filter_map(Reference::of_span))
}

impl<'a> Reference<'a> {
    /// What a piece of code refers to; `None` if it is just code.
    fn of_span(span: &'a str) -> Option<Self> {
        if let Some((file, test)) = span.split_once(".rs::") {
            return Some(Reference::Test(&span[..file.len() + 3], test));
        }
        let words: Vec<_> = span.split(' ').collect();
        match words[..] {
            [file] if file.contains('/') && [".rs", ".md"].iter().any(|ending| file.ends_with(ending)) => {
                Some(Reference::File(file))
            }
            [ref command @ .., flag] if flag.starts_with("--") && !command.is_empty() => {
                Some(Reference::Flag(command.to_vec(), flag))
            }
            _ => None,
        }
    }

    fn exists(&self, tree: &Tree, help: impl Fn(&[&str]) -> Option<String>) -> bool {
        let has = |text: Option<&str>, what: &str| text.is_some_and(|text| text.contains(what));
        match self {
            Reference::Link(path) => tree.text(&format!("workshop/src/{path}")).is_some(),
            Reference::File(file) => tree.text(file).is_some(),
            Reference::Test(file, test) => has(tree.text(file), &format!("fn {test}(")),
            Reference::Flag(command, flag) => {
                help(command).is_some_and(|help| help.split_whitespace().any(|word| word == *flag))
            }
        }
    }
}

impl std::fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reference::Link(path) => write!(f, "]({path})"),
            Reference::File(file) => f.write_str(file),
            Reference::Test(file, test) => write!(f, "{file}::{test}"),
            Reference::Flag(command, flag) => write!(f, "{} {flag}", command.join(" ")),
        }
    }
}

const PAGE: &str = "Code such as `async def` or `range(1)` is no reference.

| item | says | shown by |
|---|---|---|
| one | right | [no-deadline](calls/no-deadline.md), `resilience/src/deadline.rs::one_deadline` |
| `6. Permit` | why | `fixed-server --sla`, `loadgen run --slo`, `resilience/src/deadline.rs` |
";

fn made_up() -> Tree {
    Tree::default()
        .with(FILE, PAGE)
        .with("workshop/src/calls/no-deadline.md", "")
        .with("resilience/src/deadline.rs", "    fn one_deadline() {}")
        .with(STEPS, "    // 6. Permit. The queue timeout starts here.\n    // In 2. it said more.\n")
}

fn found(tree: &Tree) -> Vec<String> {
    let help = |command: &[&str]| match command {
        ["fixed-server"] => Some("      --sla <TIME>\n".to_owned()),
        ["loadgen", "run"] => Some("  -s, --slo <WHAT>\n".to_owned()),
        _ => None,
    };
    missing(tree, help).into_iter().map(|missing| missing.line).collect()
}

#[test]
fn a_complete_page_has_nothing_missing() {
    assert_eq!(found(&made_up()), [""; 0]);
    assert_eq!(missing(&Tree::default(), |_| None).len(), 1, "the page itself");
}

#[test]
fn what_does_not_exist_is_named() {
    for (there, wrong, named) in [
        ("(calls/no-deadline.md)", "(calls/no-deadlin.md)", "](calls/no-deadlin.md)"),
        ("::one_deadline", "::one_dead", "resilience/src/deadline.rs::one_dead"),
        ("fixed-server --sla", "fixed-server --sl", "fixed-server --sl"),
        ("loadgen run --slo", "loadgen walk --slo", "loadgen walk --slo"),
        ("`resilience/src/deadline.rs`", "`resilience/src/sla.rs`", "resilience/src/sla.rs"),
    ] {
        let tree = made_up().with(FILE, PAGE.replace(there, wrong));
        assert_eq!(found(&tree), [named]);
    }
}

#[test]
fn a_row_without_evidence_and_a_step_without_a_row_are_named() {
    let row = "| two | right | obviously |";
    assert_eq!(found(&made_up().with(FILE, format!("{PAGE}{row}\n"))), [row]);
    let seventh = "    // 7. Session. It is stored only now.\n";
    let tree = made_up();
    let order = format!("{}{seventh}", tree.text(STEPS).unwrap());
    assert_eq!(found(&tree.with(STEPS, order)), ["| `7. Session` |"]);
}
