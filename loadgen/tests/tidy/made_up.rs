//! The rules on a made-up lab: nothing is missing when it is complete, and what is taken away is named, with the file
//! and the line to write.

use loadgen::lab::Group;

use crate::entry::{Entry, Missing};
use crate::outputs::{self, Printed, PrintedClaim};
use crate::tree::Tree;
use crate::{chapters, code, lists};

fn lab() -> Entry {
    Entry {
        name: "no-deadline".to_owned(),
        group: Group::Calls,
        mistake: "timeouts add up".to_owned(),
        fix: "one deadline".to_owned(),
        fix_file: "fixed-server/src/stack.rs".to_owned(),
        fix_anchor: "the-order".to_owned(),
        repair_file: "broken-server/src/mistakes/none.rs".to_owned(),
    }
}

const MISTAKE: &str = "//! Mistake `no-deadline`.
//! What is wrong: a
//! Symptom: b
//! Fix: fixed-server/src/stack.rs, where c
//! Source: 001
// ANCHOR: no-deadline
// MISTAKE no-deadline: d
// ANCHOR_END: no-deadline
";

const CHAPTER: &str = "# no-deadline: two minutes for one
## The symptom
## Run it
make lab NAME=no-deadline
{{#include ../outputs/no-deadline.txt}}
## The mistake
{{#include ../../../broken-server/src/mistakes/calls/no_deadline.rs:no-deadline}}
## The fix
{{#include ../../../fixed-server/src/stack.rs:the-order}}
`broken-server/src/mistakes/none.rs` `make lab NAME=no-deadline MENDED=1`
## Why it happens
## What it does not prove
## What the sources say
";

const FIX: &str = "// ANCHOR: the-order\n    // FIX queue, no-deadline: e\n// ANCHOR_END: the-order\n";
const LIST: &str = "    pub(crate) mod no_deadline;\n    no_deadline::ENTRY,\n";

const OUTPUT: &str = "                              broken-server           control      fixed-server
 time to answer              p50   p99   max   p50   p99   max   p50   p99   max
 health-sync, idle         0.8ms 1.1ms 1.1ms 0.8ms 1.9ms 1.9ms 0.5ms 1.0ms 1.0ms
 health-sync, 20 calls      10.4s 10.6s 10.6s 0.8ms 5.1ms 5.1ms 0.5ms 0.9ms 0.9ms

 each fault                  status calls outcome            retry arms
 stream, hang                   504     1 upstream_failure   none  control fixed
                               200!     1 success!           none  broken

  Verdict: HELD (all claims and preconditions met)

  Claims                                                measured  required
  yes broken  answered after the SLA                          20  exactly 20
  yes fixed   slowest answer, beside the SLA of the       5.9 s   at most 6.2 s
                server
  yes all     22 more, the same for every lab: probes answered, streams flowing,
              no extra threads, vendor ok
";

fn printed() -> Printed {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let claim = |name: &str, always| PrintedClaim { name: name.to_owned(), always };
    Printed {
        arms: owned(&["broken", "control", "fixed"]),
        phases: owned(&["idle", "20 calls", "each fault"]),
        cases: owned(&["stream, hang"]),
        probes: owned(&["health-sync", "health-async"]),
        claims: vec![
            claim("answered after the SLA", true),
            claim("slowest answer, beside the SLA of the server", true),
            claim("panics in a debug build", false),
        ],
    }
}

fn complete() -> Tree {
    let tree = Tree::default()
        .with("broken-server/src/mistakes/calls/no_deadline.rs", MISTAKE)
        .with("broken-server/src/mistakes/calls.rs", LIST)
        .with("broken-server/src/mistakes/none.rs", "//! The control.\n")
        .with("fixed-server/src/stack.rs", FIX)
        .with("loadgen/src/labs/no_deadline.rs", "pub(super) fn lab() -> Lab {\n")
        .with("workshop/src/outputs/no-deadline.txt", OUTPUT)
        .with("workshop/src/calls/no-deadline.md", CHAPTER);
    let marks = "<!-- labs: written by `make lists` -->\n<!-- end of labs -->\n";
    lists::FILES.into_iter().fold(tree, |tree, file| {
        let unfilled = tree.clone().with(file, marks);
        let list = lists::with_list(file, &[lab()], &unfilled).unwrap();
        tree.with(file, list)
    })
}

fn missing(tree: &Tree) -> Vec<Missing> {
    let labs = [lab()];
    let mut missing = code::missing(&labs[0], tree);
    missing.extend(code::orphans(&[Entry { name: "queue".to_owned(), ..lab() }, lab()], tree));
    missing.extend(code::repeated(&labs, tree));
    missing.extend(code::left_to_fill_in(tree));
    missing.extend(chapters::missing(&labs[0], tree));
    missing.extend(chapters::orphans(&labs, tree));
    missing.extend(lists::missing(&labs, tree));
    missing.extend(outputs::missing(&labs[0], &printed(), tree));
    missing.extend(outputs::orphans(&labs, tree));
    missing
}

/// What is missing when this piece of a file is replaced.
fn without(file: &str, piece: &str, other: &str) -> Vec<Missing> {
    let text = complete().text(file).unwrap().to_owned();
    assert!(text.contains(piece), "{file} has no {piece}");
    missing(&complete().with(file, text.replacen(piece, other, 1)))
}

#[test]
fn nothing_is_missing_from_a_complete_lab() {
    assert_eq!(missing(&complete()), []);
}

#[test]
fn what_is_missing_is_named_with_the_file_and_the_line() {
    const MISTAKES: &str = "broken-server/src/mistakes/calls.rs";
    let (lab, stack) = (lab(), "fixed-server/src/stack.rs");
    let (mistake, chapter) = (lab.mistake_file(), lab.chapter());
    for (file, piece, line) in [
        (&*mistake, "//! Mistake `no-deadline`.\n", "//! Mistake `no-deadline`."),
        (&mistake, "//! What is wrong: a\n", "//! What is wrong: ..."),
        (&mistake, "//! Symptom: b\n", "//! Symptom: ..."),
        (&mistake, "//! Fix: fixed-server/src/stack.rs, where c\n", "//! Fix: fixed-server/src/stack.rs, where ..."),
        (&mistake, "//! Source: 001\n", "//! Source: ..."),
        (&mistake, "// MISTAKE no-deadline: d\n", "// MISTAKE no-deadline: what is wrong here."),
        (MISTAKES, "    pub(crate) mod no_deadline;\n", "pub(crate) mod no_deadline;"),
        (MISTAKES, "    no_deadline::ENTRY,\n", "no_deadline::ENTRY,"),
        (stack, ", no-deadline:", "// FIX queue, no-deadline: e"),
        (&chapter, "# no-deadline: two minutes for one\n", "# no-deadline: ..."),
        (&chapter, "## Why it happens\n", "## Why it happens"),
        (&chapter, "make lab NAME=no-deadline\n", "make lab NAME=no-deadline"),
        (&chapter, "{{#include ../outputs/no-deadline.txt}}\n", "{{#include ../outputs/no-deadline.txt}}"),
        (&chapter, ":the-order}}", "{{#include ../../../fixed-server/src/stack.rs:the-order}}"),
        (&chapter, "`broken-server/src/mistakes/none.rs`", "`broken-server/src/mistakes/none.rs`"),
        (&chapter, "MENDED=1", "`make lab NAME=no-deadline MENDED=1`"),
        ("README.md", "[`no-deadline`]", "[`no-deadline`](workshop/src/calls/no-deadline.md)"),
        ("workshop/src/labs.md", "| [`no-deadline`]", "| [`no-deadline`](../../workshop/src/calls/no-deadline.md)"),
        ("workshop/README.md", "- [no-deadline:", "- [no-deadline: two minutes for one](src/calls/no-deadline.md)"),
    ] {
        let found = without(file, piece, if piece.starts_with(", ") { ":" } else { "" });
        let named = found.iter().any(|missing| missing.file == file && missing.line.contains(line));
        assert!(named, "without {piece:?} in {file}: {found:#?}");
    }
}

#[test]
fn a_file_that_is_missing_is_named_with_the_command_that_writes_it() {
    let tree = Tree::default();
    let said: Vec<_> = missing(&tree).iter().map(ToString::to_string).collect();
    for named in [lab().mistake_file(), lab().lab_file(), lab().chapter(), lab().fix_file] {
        assert!(said.iter().any(|said| said.starts_with(&format!("{named}: "))), "{named}: {said:#?}");
    }
    assert_eq!(said.iter().filter(|said| said.contains("`make new-lab NAME=no-deadline GROUP=calls`")).count(), 2);
}

#[test]
fn an_output_that_is_not_the_labs_is_named_with_what_differs() {
    for (piece, other, named) in [
        ("HELD (all claims and preconditions met)", "NOT HELD (see the claims marked NO)", "the lab did not hold"),
        ("   control ", " broken-60 ", "it has no arm `control`"),
        ("   control ", " broken-60 ", "the lab has no arm `broken-60`"),
        ("sync, 20 calls", "sync, 10 calls", "it has no phase `20 calls`"),
        ("sync, 20 calls", "sync, 10 calls", "the lab has no such phase: `health-sync, 10 calls"),
        (" each fault ", " every fault", "it has no phase `each fault`"),
        ("stream, hang ", "stream, reset", "it has no case `stream, hang`"),
        ("stream, hang ", "stream, reset", "the lab has no such case: `stream, reset"),
        ("answered after the SLA", "late answers", "it has no claim `answered after the SLA`"),
        ("answered after the SLA", "late answers", "the lab has no such claim: `yes broken  late answers"),
        ("                server\n", "", "it has no claim `slowest answer, beside the SLA of the server`"),
    ] {
        let found = without("workshop/src/outputs/no-deadline.txt", piece, other);
        let named = format!("run `make outputs NAMES=no-deadline`: {named}");
        assert!(found.iter().any(|missing| missing.place.starts_with(&named)), "{named}: {found:#?}");
    }
    let found = missing(&complete().with("workshop/src/outputs/raw-sse.txt", OUTPUT));
    assert_eq!(found, [Missing::file("workshop/src/outputs/raw-sse.txt", "this output is no lab's: remove it")]);
}

#[test]
fn the_arms_of_a_matrix_are_its_rows() {
    let matrix = " 12 calls   1   2  first
 broken    ok 500      2
 fixed     ok  ok   none

  Verdict: HELD (all claims and preconditions met)
";
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let (arms, phases) = (owned(&["broken", "fixed"]), owned(&["12 calls"]));
    let printed = Printed { arms, phases, probes: Vec::new(), cases: Vec::new(), claims: Vec::new() };
    let found = |text: &str| outputs::missing(&lab(), &printed, &Tree::default().with(lab().output(), text));
    assert_eq!(found(matrix), []);
    let said = |piece: &str, other: &str| {
        let places = found(&matrix.replacen(piece, other, 1)).into_iter().map(|missing| missing.place);
        places.map(|place| place.replace("run `make outputs NAMES=no-deadline`: ", "")).collect::<Vec<_>>()
    };
    assert_eq!(said(" fixed ", " control "), ["it has no arm `fixed`", "the lab has no arm `control`"]);
    assert_eq!(said(" 12 calls ", " 10 calls "), ["it has no phase `12 calls`"]);
}

#[test]
fn headings_have_one_form() {
    let chapter = lab().chapter();
    let other = without(&chapter, "## Why it happens", "## Background\n## Why it happens");
    assert_eq!((other.len(), &*other[0].line), (1, "### Background"), "{other:#?}");
    let turned = without(&chapter, "## The mistake", "## The fix\n## The mistake");
    assert!(
        turned[0].place.contains("this order") && turned[0].line.contains("## The mistake\n## The fix"),
        "{turned:#?}"
    );
    let last = without(&chapter, "## What the sources say\n", "");
    assert!(last[0].place.contains("after the part `## What it does not prove`"), "{last:#?}");
}

#[test]
fn what_belongs_to_no_lab_is_named() {
    let tree = complete()
        .with("broken-server/src/api.rs", "// MISTAKE no-deadlin: a typing error\n")
        .with("fixed-server/src/api.rs", "// FIX no-deadline: the same\n")
        .with("loadgen/src/labs/raw_sse.rs", "pub(super) fn lab() -> Lab {\n")
        .with("loadgen/src/labs/whole_calls.rs", "pub(super) fn phase() -> Phase {\n")
        .with("workshop/src/calls/raw-sse.md", "{{#include ../../../fixed-server/src/stack.rs:nowhere}}\n");
    let found = missing(&tree);
    let said: Vec<_> = found.iter().map(|missing| (&*missing.file, &*missing.line)).collect();
    let expected = [
        ("broken-server/src/api.rs", "// MISTAKE no-deadlin:"),
        ("loadgen/src/labs.rs", "mod raw_sse;\n...\nraw_sse::lab(),"),
        ("fixed-server/src/stack.rs", "// FIX no-deadline:"),
        ("workshop/src/calls/raw-sse.md", ""),
        ("workshop/src/calls/raw-sse.md", "{{#include ../../../fixed-server/src/stack.rs:nowhere}}"),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_mistake_without_a_lab_and_another_order_are_named() {
    let mistake = |name: &str, group: &str| (name.to_owned(), group.to_owned());
    let other = Entry { name: "raw-sse".to_owned(), ..lab() };
    let pair = [mistake("no-deadline", "calls"), mistake("raw-sse", "calls")];
    assert_eq!(code::unpaired(&[lab(), other.clone()], &pair), []);
    let lines = |labs: &[Entry], mistakes: &[code::Listed]| code::unpaired(labs, mistakes).remove(0).line;
    assert_eq!(lines(&[lab()], &pair), "mod raw_sse;\nraw_sse::lab(),");
    assert_eq!(lines(&[other.clone(), lab()], &pair), "no_deadline::lab(),\nraw_sse::lab(),");
    let moved = [mistake("no-deadline", "threads"), mistake("raw-sse", "calls")];
    assert_eq!(lines(&[lab(), other], &moved), "no_deadline::lab(),\nraw_sse::lab(),");
}

#[test]
fn what_a_skeleton_left_open_is_named_with_its_line() {
    let file = lab().lab_file();
    let found = missing(&complete().with(&*file, "//! A lab.\n    fix: \"TODO: the fix in one sentence\",\n"));
    let open = Missing::new(format!("{file}:2"), "fill this in", "fix: \"TODO: the fix in one sentence\",");
    assert_eq!(found, [open]);
}
