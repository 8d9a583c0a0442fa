//! The rules for what a lab printed, which its chapter includes: it is about the lab's arms, phases and claims as they
//! are now, and the lab held. The figures may be older than the code.

use loadgen::lab::{Lab, Phase};
use loadgen::report::ARMS_MAX;
use loadgen::traffic::Schedule;

use crate::entry::{Entry, Missing};
use crate::tree::Tree;

/// What the output of a lab must name.
#[derive(Clone)]
pub(crate) struct Printed {
    pub(crate) arms: Vec<String>,
    /// The titles of phases.
    pub(crate) phases: Vec<String>,
    /// The names of probes, as the figures have them.
    pub(crate) probes: Vec<String>,
    /// The rows of its tables of cases.
    pub(crate) cases: Vec<String>,
    pub(crate) claims: Vec<PrintedClaim>,
}

/// A claim or precondition of a lab.
#[derive(Clone)]
pub(crate) struct PrintedClaim {
    pub(crate) name: String,
    /// Whether every run has it.
    pub(crate) always: bool,
}

impl Printed {
    /// What the normal profile of a lab prints.
    pub(crate) fn of(lab: &Lab) -> Self {
        let profile = &lab.normal;
        let claims = profile.claims.iter();
        let compared = !profile.probes.is_empty() && profile.arms.len() <= ARMS_MAX;
        let in_a_matrix = |phase: &Phase| phase.loads.iter().any(|load| matches!(load.schedule, Schedule::Sequence(_)));
        let shown = |phase: &&Phase| compared || !phase.cases.is_empty() || in_a_matrix(phase);
        let cases = profile.phases.iter().flat_map(|phase| &phase.cases);
        Printed {
            arms: profile.arms.iter().map(|arm| arm.name.to_owned()).collect(),
            // Without a table of probes only a phase with cases or a sequence is named.
            phases: profile.phases.iter().filter(shown).map(|phase| phase.title.clone()).collect(),
            cases: cases.map(|case| case.name.clone()).collect(),
            probes: profile.probes.iter().map(|probe| probe.name.replace('_', "-")).collect(),
            claims: claims
                .map(|claim| PrintedClaim { name: claim.name.to_owned(), always: claim.applies_if.is_none() })
                .collect(),
        }
    }
}

/// What is missing in the output of a lab, and what the lab no longer has.
pub(crate) fn missing(lab: &Entry, printed: &Printed, tree: &Tree) -> Vec<Missing> {
    let file = lab.output();
    let Some(text) = tree.text(&file) else {
        return vec![Missing::file(
            file,
            format!("the output is missing; `make outputs NAMES={}` writes it", lab.name),
        )];
    };
    let mut differences = Vec::new();
    if !text.lines().any(|line| line.starts_with("  Verdict: HELD ")) {
        differences.push("the lab did not hold".to_owned());
    }
    differences.extend(of_arms(printed, text));
    differences.extend(of_phases(printed, text));
    differences.extend(of_cases(printed, text));
    differences.extend(of_claims(printed, text));
    let how = format!("run `make outputs NAMES={}`: ", lab.name);
    differences.into_iter().map(|difference| Missing::file(&file, how.clone() + &difference)).collect()
}

fn of_arms(printed: &Printed, text: &str) -> Vec<String> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let of_a_matrix = rest.lines().take_while(|line| !line.is_empty()).filter_map(|row| row.split_whitespace().next());
    let titles: Vec<_> =
        if first.ends_with(MATRIX) { of_a_matrix.collect() } else { first.split_whitespace().collect() };
    let titles = titles.into_iter();
    // With few arms their columns have longer titles.
    let there: Vec<_> = titles.map(|title| title.trim_end_matches("-server")).collect();
    let missing =
        printed.arms.iter().filter(|arm| !there.contains(&&***arm)).map(|arm| format!("it has no arm `{arm}`"));
    let known = |arm: &&&str| !printed.arms.iter().any(|known| known == **arm);
    missing.chain(there.iter().filter(known).map(|arm| format!("the lab has no arm `{arm}`"))).collect()
}

fn of_phases(printed: &Printed, text: &str) -> Vec<String> {
    let shows =
        |line: &str, title: &str| printed.probes.iter().any(|probe| line.starts_with(&format!(" {probe}, {title}")));
    let has = |title: &String| text.lines().any(|line| shows(line, title) || is_heading(line, title));
    let missing = printed.phases.iter().filter(|title| !has(title));
    let missing = missing.map(|title| format!("it has no phase `{title}`"));
    let of_a_phase = text.lines().filter(|line| shows(line, ""));
    let gone = of_a_phase.filter(|line| !printed.phases.iter().any(|title| shows(line, title)));
    missing.chain(gone.map(|line| format!("the lab has no such phase: `{}`", line.trim()))).collect()
}

/// The end of the line above a matrix, whose rows are arms.
const MATRIX: &str = "  first";

/// The line above the cases of a phase, or above its matrix.
fn is_heading(line: &str, title: &str) -> bool {
    line.starts_with(&format!(" {title} ")) && (line.ends_with(" arms") || line.ends_with(MATRIX))
}

/// A case has a line with its name, and one below it for each arm that made something else of it.
fn of_cases(printed: &Printed, text: &str) -> Vec<String> {
    let tables = text.split(" arms\n").skip(1).filter_map(|rest| rest.split("\n\n").next());
    let rows: Vec<_> = tables.flat_map(str::lines).filter(|line| !line.starts_with("  ")).collect();
    let names = |line: &str, case: &str| line.starts_with(&format!(" {case} "));
    let missing = printed.cases.iter().filter(|case| !rows.iter().any(|row| names(row, case)));
    let missing = missing.map(|case| format!("it has no case `{case}`"));
    let gone = rows.iter().filter(|row| !printed.cases.iter().any(|case| names(row, case)));
    missing.chain(gone.map(|row| format!("the lab has no such case: `{}`", row.trim()))).collect()
}

/// A claim's line is `  yes ARM NAME FIGURES`; the end of a long name is on the next line.
fn of_claims(printed: &Printed, text: &str) -> Vec<String> {
    let lines: Vec<_> = text.lines().collect();
    let of_a_claim = |at: &usize| lines[*at].starts_with("  yes ") || lines[*at].starts_with("  NO  ");
    let general = |at: &usize| lines[*at].starts_with("  yes all ") && lines[*at].contains(" the same for every lab");
    let there: Vec<_> = (0..lines.len()).filter(of_a_claim).filter(|at| !general(at)).collect();
    let says = |at: usize, name: &str| {
        let rest = lines[at][6..].split_once(' ').map_or("", |(_, rest)| rest.trim_start());
        let tail = lines.get(at + 1).map_or("", |line| line.trim());
        let wrapped = name.strip_suffix(tail).filter(|_| !tail.is_empty()).map(str::trim_end);
        rest.starts_with(name) || wrapped.is_some_and(|head| !head.is_empty() && rest.starts_with(head))
    };
    let missing = printed.claims.iter().filter(|claim| claim.always && !there.iter().any(|at| says(*at, &claim.name)));
    let missing = missing.map(|claim| format!("it has no claim `{}`", claim.name));
    let gone = there.iter().filter(|at| !printed.claims.iter().any(|claim| says(**at, &claim.name)));
    missing.chain(gone.map(|at| format!("the lab has no such claim: `{}`", lines[*at].trim()))).collect()
}

/// What `diagnose` printed, which is no lab.
const DIAGNOSIS: &str = "workshop/src/outputs/diagnose.txt";

/// Outputs of no lab.
pub(crate) fn orphans(labs: &[Entry], tree: &Tree) -> Vec<Missing> {
    let files = tree.under("workshop/src/outputs/").map(|(file, _)| file).filter(|file| *file != DIAGNOSIS);
    let strangers = files.filter(|file| !labs.iter().any(|lab| lab.output() == *file));
    strangers.map(|file| Missing::file(file, "this output is no lab's: remove it")).collect()
}
