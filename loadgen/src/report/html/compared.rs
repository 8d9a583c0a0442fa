//! Runs side by side on one page.

use super::page::Page;
use super::table::{figure, heads, table};
use super::writer::Html;
use super::{charts, diagnosis, lead};
use crate::comparison::{ComparedArm, ComparedFigure, Comparison, RegressionVerdict};
use crate::report::diagnosis::{COMPARED_ROWS, row};
use crate::report::letter::letter;

/// The page of several runs. `judged` has the percentage that was allowed and what came of it, if a regression was
/// looked for.
#[must_use]
pub fn comparison_page(comparison: &Comparison, judged: Option<&(f64, RegressionVerdict)>) -> String {
    let subject = comparison.runs.first().map(|run| lead::subject(&run.result)).unwrap_or_default();
    let mut page = if comparison.diagnoses().is_some() { Page::of_a_diagnosis() } else { Page::default() };
    page.head(class(comparison, judged), |html| head(html, comparison, &subject, judged));
    page.section("diagnoses", "What was found", |html| diagnoses(html, comparison));
    page.section("figures", "Figures, with ratios to A", |html| {
        let percent = judged.map(|(percent, _)| *percent);
        html.element("div", &[("class", "pictures")], |html| {
            comparison.arms.iter().for_each(|arm| figures(html, comparison, arm, percent));
        });
    });
    page.section("over-time", "The runs over time", |html| {
        for (index, run) in comparison.runs.iter().enumerate() {
            html.part(&format!("{}: {}", letter(index), run.name), |html| {
                diagnosis::staircase(html, &run.result);
                charts::over_time(html, &run.result);
            });
        }
    });
    page.section("differences", "What differs in the parameters", |html| differences(html, comparison));
    page.section("runs", "The runs", |html| {
        for (index, run) in comparison.runs.iter().enumerate() {
            html.part(&format!("{}: {}", letter(index), run.name), |html| {
                html.part("Environment", |html| super::about::environment(html, &run.result));
                html.part("How to repeat it", |html| super::about::repeat(html, &run.result));
            });
        }
    });
    page.finish(&format!("{subject}: {} runs compared", comparison.runs.len()))
}

/// What each diagnosis found.
fn diagnoses(html: &mut Html, comparison: &Comparison) {
    let Some(found) = comparison.diagnoses() else { return };
    table(html, "What was found", |html| {
        let letters: Vec<_> = (0..found.len()).map(letter).collect();
        heads(html, &[&[""], &letters.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
        html.element("tbody", &[], |html| {
            for name in COMPARED_ROWS {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row")], name);
                    found.iter().for_each(|diagnosis| figure(html, Some(&row(diagnosis, name))));
                });
            }
        });
    });
}

fn class(comparison: &Comparison, judged: Option<&(f64, RegressionVerdict)>) -> &'static str {
    match judged.map(|(_, verdict)| verdict) {
        _ if comparison.is_invalid() => "invalid",
        Some(RegressionVerdict::Found(_)) => "not-held",
        Some(RegressionVerdict::None) => "held",
        _ => "",
    }
}

fn head(html: &mut Html, comparison: &Comparison, subject: &str, judged: Option<&(f64, RegressionVerdict)>) {
    html.leaf("p", &[("class", "kind")], &format!("{subject}: {} runs", comparison.runs.len()));
    html.leaf("h1", &[], &headline(comparison, judged));
    if let Some((_, RegressionVerdict::Found(found))) = judged {
        html.element("ul", &[], |html| {
            found.iter().for_each(|worse| html.leaf("li", &[], &format!("{}, {}", letter(worse.run), worse.what)));
        });
    }
    html.element("ul", &[], |html| {
        for (index, run) in comparison.runs.iter().enumerate() {
            let verdict = &run.result.verdict;
            let reference = if index == 0 { ", the reference" } else { "" };
            let text = format!("{}{reference}: {}. ", letter(index), run.name);
            html.element("li", &[], |html| {
                html.text(&text);
                html.leaf(
                    "span",
                    &[("class", lead::word_class(verdict))],
                    &format!("{} {}", lead::sign(verdict), lead::sentence(verdict)),
                );
                verdict.invalid_because.iter().for_each(|why| html.leaf("div", &[], why));
            });
        }
    });
}

fn headline(comparison: &Comparison, judged: Option<&(f64, RegressionVerdict)>) -> String {
    match judged {
        _ if comparison.is_invalid() => {
            "? Invalid: one of the runs proves nothing, so no conclusion can be drawn.".to_owned()
        }
        Some((percent, RegressionVerdict::Found(found))) => {
            format!("✘ Regression: {} worse than in A by more than {percent} %.", things(found.len()))
        }
        Some((percent, RegressionVerdict::None)) => {
            format!("✔ No regression: nothing is worse than in A by more than {percent} % and by more than noise.")
        }
        _ => "Side by side, not judged.".to_owned(),
    }
}

fn things(count: usize) -> String {
    if count == 1 { "one figure is".to_owned() } else { format!("{count} figures are") }
}

fn figures(html: &mut Html, comparison: &Comparison, arm: &ComparedArm, percent: Option<f64>) {
    let judged = if arm.is_judged { "" } else { " (not judged for regressions)" };
    table(html, &format!("{}{judged}", arm.name), |html| {
        let mut columns = vec!["figure".to_owned(), letter(0)];
        let others = (1..comparison.runs.len()).map(letter);
        columns.extend(others.flat_map(|letter| [letter.clone(), format!("ratio {letter}/A")]));
        heads(html, &columns.iter().map(String::as_str).collect::<Vec<_>>());
        html.element("tbody", &[], |html| {
            for of in &arm.figures {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row")], &of.figure.name);
                    figure(html, value(of, 0).as_deref());
                    for run in 1..comparison.runs.len() {
                        figure(html, value(of, run).as_deref());
                        let is_worse = arm.is_judged && percent.is_some_and(|percent| of.is_worse(run, percent));
                        ratio(html, of.ratio(run), is_worse);
                    }
                });
            }
        });
    });
}

fn value(figure: &ComparedFigure, run: usize) -> Option<String> {
    figure.value(run).map(|value| figure.figure.unit.show(value))
}

fn ratio(html: &mut Html, ratio: Option<f64>, is_worse: bool) {
    let text = ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
    if is_worse {
        html.leaf("td", &[("class", "number worse")], &format!("{text} ✘ worse"));
    } else {
        html.leaf("td", &[("class", "number")], &text);
    }
}

fn differences(html: &mut Html, comparison: &Comparison) {
    if comparison.differences.is_empty() {
        return;
    }
    table(html, "Parameters that are not the same in all runs", |html| {
        let letters: Vec<_> = (0..comparison.runs.len()).map(letter).collect();
        heads(html, &[&["parameter"], &letters.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
        html.element("tbody", &[], |html| {
            for difference in &comparison.differences {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row")], &difference.name.replace('_', " "));
                    for value in &difference.values {
                        figure(html, value.as_ref().map(super::about::shown).as_deref());
                    }
                });
            }
        });
    });
}
