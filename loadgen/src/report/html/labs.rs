//! Several labs on one page: a row for each, then a section for each.

use super::about::command;
use super::lead;
use super::page::Page;
use super::sections::SECTIONS;
use super::table::{cards, figure};
use super::writer::Html;
use crate::report::labs::remark;
use crate::result::{LabsResult, NamedLab, Outcome};

/// The page of several labs.
#[must_use]
pub fn labs_page(labs: &LabsResult) -> String {
    let all = labs.in_order();
    let mut page = Page::default();
    page.head(lead::class(&labs.verdict), |html| head(html, &all, labs));
    page.section("labs", "The labs", |html| overview(html, &all));
    for (name, run) in &all {
        let Ok(result) = run else { continue };
        page.section(&id(name), name, |html| {
            html.element("div", &[("class", &format!("verdict {}", lead::class(&result.verdict)))], |html| {
                lead::of_several(html, result);
            });
            SECTIONS.iter().for_each(|(_, title, write)| html.part(title, |html| write(html, result)));
        });
    }
    page.section("repeat", "How to repeat all of them", |html| command(html, labs.command_line.as_deref()));
    page.finish(&format!("loadgen labs: {}", labs.verdict.result.as_str()))
}

fn id(lab: &str) -> String {
    format!("lab-{lab}")
}

fn head(html: &mut Html, all: &[NamedLab], labs: &LabsResult) {
    let of = |outcome: Outcome| all.iter().filter(|(_, run)| outcome_of(run) == outcome).count();
    html.leaf("p", &[("class", "kind")], "loadgen labs");
    html.element("h1", &[], |html| {
        html.leaf("span", &[("aria-hidden", "true")], lead::sign(&labs.verdict));
        html.text(&format!(
            " Of {} labs, {} held, {} did not hold, {} proved nothing.",
            all.len(),
            of(Outcome::Held),
            of(Outcome::NotHeld),
            of(Outcome::Invalid)
        ));
    });
}

fn outcome_of(run: &Result<&crate::result::RunResult, &str>) -> Outcome {
    run.map_or(Outcome::Invalid, |result| result.verdict.result)
}

fn overview(html: &mut Html, all: &[NamedLab]) {
    cards(html, "One row for each lab", |html| {
        html.element("thead", &[], |html| {
            html.element("tr", &[], |html| {
                for head in ["lab", "verdict", "claims met", "remark"] {
                    html.leaf("th", &[("scope", "col")], head);
                }
            });
        });
        html.element("tbody", &[], |html| all.iter().for_each(|lab| row(html, lab)));
    });
}

fn row(html: &mut Html, (name, run): &NamedLab) {
    html.element("tr", &[], |html| {
        html.element("th", &[("scope", "row")], |html| match run {
            Ok(_) => html.leaf("a", &[("href", &format!("#{}", id(name)))], name),
            Err(_) => html.text(name),
        });
        let (class, sign, word) = match run {
            Ok(result) => {
                let verdict = &result.verdict;
                (lead::word_class(verdict), lead::sign(verdict), verdict.result.as_str())
            }
            Err(_) => ("doubt", "?", "could not be run"),
        };
        html.leaf("td", &[("class", class)], &format!("{sign} {word}"));
        let met = run.map(|result| {
            let claims = &result.verdict.claims;
            format!("{} of {}", claims.iter().filter(|claim| claim.held).count(), claims.len())
        });
        figure(html, met.ok().as_deref());
        let remark = match run {
            Ok(result) if result.verdict.invalid_because.is_empty() => String::new(),
            Ok(result) => remark(result),
            Err(why) => (*why).to_owned(),
        };
        html.leaf("td", &[("class", "whole")], &remark);
    });
}
