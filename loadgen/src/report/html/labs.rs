//! Several labs on one page: a row for each with the figure that matters, then a section for each.

use super::about::command;
use super::lead;
use super::page::Page;
use super::sections::SECTIONS;
use super::table::cards;
use super::writer::Html;
use crate::labs;
use crate::report::claims::{measured, required};
use crate::result::{ClaimKind, ClaimResult, LabsResult, NamedLab, Outcome, RunResult, Side, Verdict};

/// The page of several labs.
#[must_use]
pub fn labs_page(result: &LabsResult) -> String {
    let all = result.in_order();
    let mut page = Page::default();
    page.head(lead::class(&result.verdict), |html| head(html, &all, &result.verdict));
    page.section("labs", "The labs", |html| overview(html, &all));
    for (name, run) in &all {
        page.section(&id(name), name, |html| match run {
            Ok(result) => {
                verdict_box(html, lead::class(&result.verdict), |html| lead::of_several(html, result));
                SECTIONS.iter().for_each(|(_, title, write)| html.part(title, |html| write(html, result)));
            }
            Err(why) => verdict_box(html, "invalid", |html| {
                html.leaf("p", &[], &format!("? {NOT_RUN}: {why}"));
                command(html, Some(&format!("make lab NAME={name}")));
            }),
        });
    }
    page.section("repeat", "How to repeat all of them", |html| command(html, result.command_line.as_deref()));
    page.finish(&format!("loadgen labs: {}", result.verdict.result.as_str()))
}

/// What a row and a section say of a lab without a result.
const NOT_RUN: &str = "could not be run";

fn verdict_box(html: &mut Html, class: &str, inside: impl FnOnce(&mut Html)) {
    html.element("div", &[("class", &format!("verdict {class}"))], inside);
}

fn id(lab: &str) -> String {
    format!("lab-{lab}")
}

fn head(html: &mut Html, all: &[NamedLab], verdict: &Verdict) {
    let of = |outcome: Outcome| all.iter().filter(|(_, run)| outcome_of(run) == outcome).count();
    html.leaf("p", &[("class", "kind")], "loadgen labs");
    html.element("h1", &[], |html| {
        html.leaf("span", &[("aria-hidden", "true")], lead::sign(verdict));
        html.text(&format!(
            " Of {} labs, {} held, {} did not hold, {} proved nothing.",
            all.len(),
            of(Outcome::Held),
            of(Outcome::NotHeld),
            of(Outcome::Invalid)
        ));
    });
}

fn outcome_of(run: &Result<&RunResult, &str>) -> Outcome {
    run.map_or(Outcome::Invalid, |result| result.verdict.result)
}

/// The heads of the table. On a phone they stand in each cell.
const HEADS: [&str; 5] = ["lab", "group", "verdict", "claims met", "the figure that matters"];

fn overview(html: &mut Html, all: &[NamedLab]) {
    cards(html, "One row for each lab", |html| {
        html.element("thead", &[], |html| {
            html.element("tr", &[], |html| {
                for head in HEADS {
                    let class = if head == HEADS[3] { "number" } else { "" };
                    html.leaf("th", &[("scope", "col"), ("class", class)], head);
                }
            });
        });
        html.element("tbody", &[], |html| {
            all.iter().for_each(|lab| html.element("tr", &[], |html| row(html, lab)));
        });
    });
}

fn row(html: &mut Html, (name, run): &NamedLab) {
    html.element("th", &[("scope", "row"), ("class", "whole")], |html| {
        html.leaf("a", &[("href", &format!("#{}", id(name)))], name);
    });
    let group = labs::all().iter().find(|lab| lab.name == *name).map_or("–", |lab| lab.group.as_str());
    html.leaf("td", &[("data-label", HEADS[1])], group);
    let (class, sign, word) = match run {
        Ok(result) => (lead::word_class(&result.verdict), lead::sign(&result.verdict), result.verdict.result.as_str()),
        Err(_) => ("doubt", "?", NOT_RUN),
    };
    html.leaf("td", &[("class", class)], &format!("{sign} {word}"));
    let claims = run.map_or(&[][..], |result| &result.verdict.claims);
    let met = format!("{} of {}", claims.iter().filter(|claim| claim.held).count(), claims.len());
    html.leaf("td", &[("class", "number"), ("data-label", HEADS[3])], if run.is_ok() { &met } else { "–" });
    let figure = run.map_or_else(str::to_owned, what_matters);
    html.leaf("td", &[("class", "whole")], &figure);
}

/// The figure that shows the mistake, or the first that is not as claimed, or why there is no conclusion.
fn what_matters(result: &RunResult) -> String {
    let verdict = &result.verdict;
    if let Some(why) = verdict.invalid_because.first() {
        return why.clone();
    }
    let is_claim = |claim: &&ClaimResult| claim.kind == ClaimKind::Effect;
    let of_mistake = |claim: &&ClaimResult| {
        !claim.general && result.arms.get(&claim.arm).is_some_and(|arm| arm.side == Some(Side::Broken))
    };
    let claims = || verdict.claims.iter().filter(is_claim);
    let missed = claims().find(|claim| !claim.held);
    let shown = missed.or_else(|| claims().find(of_mistake)).or_else(|| claims().next());
    shown.map_or_else(
        || "–".to_owned(),
        |claim| format!("{}, {}: {}, claimed {}", claim.arm, claim.name, measured(claim), required(claim)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{ResultFile, parse};

    /// Two labs, of which one is invalid.
    fn labs() -> LabsResult {
        match parse(include_bytes!("../../../tests/results/labs.json")) {
            Ok(ResultFile::Labs(labs)) => *labs,
            other => panic!("{other:?}"),
        }
    }

    /// The row of a lab and its section, from the page.
    fn row_and_section<'a>(page: &'a str, lab: &str) -> (&'a str, &'a str) {
        let from = |text: &'a str, start: &str| text.split_once(start).unwrap_or_else(|| panic!("no {start}")).1;
        let row = from(page, &format!("<a href=\"#lab-{lab}\">{lab}</a></th>")).split("</tr>").next().unwrap();
        let section = from(page, &format!("<section id=\"lab-{lab}\"")).split("</section>").next().unwrap();
        (row, section)
    }

    #[test]
    fn each_lab_has_its_verdict_its_group_and_the_figure_of_its_mistake() {
        let labs = labs();
        let page = labs_page(&labs);
        assert!(page.contains(" Of 2 labs, 1 held, 0 did not hold, 1 proved nothing."), "{page}");
        let (row, section) = row_and_section(&page, "pool-per-chunk");
        for text in [">threads<", "✔ held", ">40 of 40<", "broken, health-sync p99: ", ", claimed at least "] {
            assert!(row.contains(text), "{text}: {row}");
        }
        assert!(section.contains("Held: all 40 claims and preconditions are met."), "{section}");
        assert!(section.contains("How to repeat it"), "{section}");
    }

    #[test]
    fn a_lab_that_is_invalid_says_so_and_why() {
        let labs = labs();
        let page = labs_page(&labs);
        let (row, section) = row_and_section(&page, "one-error-for-all");
        let why = &labs.labs["one-error-for-all"].verdict.invalid_because[0];
        assert!(row.contains("? invalid") && row.contains(why.as_str()), "{row}");
        assert!(section.contains("Invalid: no conclusion") && section.contains(why.as_str()), "{section}");
    }

    #[test]
    fn a_lab_that_was_not_run_has_a_row_and_a_section_too() {
        let mut labs = labs();
        labs.not_run.insert("rollout".to_owned(), "<b>no port</b>".to_owned());
        let page = labs_page(&labs);
        let (row, section) = row_and_section(&page, "rollout");
        assert!(row.contains("? could not be run") && row.contains("&lt;b&gt;no port&lt;/b&gt;"), "{row}");
        assert!(section.contains("could not be run: &lt;b&gt;no port") && section.contains("make lab NAME=rollout"));
        assert!(page.contains(" Of 3 labs, 1 held, 0 did not hold, 2 proved nothing."), "{page}");
    }

    #[test]
    fn the_first_claim_that_is_missed_is_the_figure_that_matters() {
        let mut labs = labs();
        let run = labs.labs.get_mut("pool-per-chunk").unwrap();
        run.verdict.result = Outcome::NotHeld;
        let missed = run.verdict.claims.iter_mut().rfind(|claim| claim.kind == ClaimKind::Effect).unwrap();
        missed.held = false;
        let (arm, name) = (missed.arm.clone(), missed.name.clone());
        let figure = what_matters(run);
        assert!(figure.starts_with(&format!("{arm}, {name}: ")), "{figure}");
    }
}
