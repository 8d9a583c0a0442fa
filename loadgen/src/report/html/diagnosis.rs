//! What `diagnose` found, on a page: the finding first, then the staircase, why, and what to change.

use super::lead;
use super::table::{figure, heads, table};
use super::writer::Html;
use crate::chart::{Scheme, staircase_svg};
use crate::numbers::{count, millis, number};
use crate::report::diagnosis::{facts, headline, recovery};
use crate::result::{Diagnosis, DiagnosisLevel, Outcome, ProbeLevel, RunResult, probe_names, probe_title};

/// Writes what was found, and why the run is invalid, if it is.
pub(super) fn lead(html: &mut Html, result: &RunResult, diagnosis: &Diagnosis) {
    html.leaf("p", &[("class", "kind")], &lead::subject(result));
    html.element("h1", &[], |html| {
        html.leaf("span", &[("aria-hidden", "true")], lead::sign(&result.verdict));
        html.text(" ");
        html.text(&title(result, diagnosis));
    });
    if result.verdict.result == Outcome::Invalid {
        lead::reasons(html, &result.verdict);
    }
    html.element("p", &[("class", "summary")], |html| html.text_with_code(&diagnosis.finding));
    html.element("dl", &[("class", "facts")], |html| {
        for (name, text) in facts(diagnosis) {
            html.leaf("dt", &[], name);
            html.element("dd", &[], |html| match name {
                "kind" | "form" => html.word_of_format(&text),
                _ => html.text(&text),
            });
        }
        more_facts(html, diagnosis);
    });
    lead::warnings(html, &result.verdict);
}

/// What is known beside the finding.
fn more_facts(html: &mut Html, diagnosis: &Diagnosis) {
    let mut fact = |name: &str, text: Option<&str>| {
        if let Some(text) = text {
            html.leaf("dt", &[], name);
            html.element("dd", &[], |html| html.text_with_code(text));
        }
    };
    fact("platform known by", diagnosis.platform.as_ref().map(|platform| platform.known_by.as_str()));
    if let Some(default) = &diagnosis.default {
        let is_hint = if default.is_certain { "" } else { ", if the server runs on it" };
        let what = format!("{}{is_hint}: {} {}", default.platform, count(default.number), default.what);
        fact("default of", Some(&what));
        fact("set by", Some(&default.setting));
        fact("source", Some(&default.source));
    }
    fact("surer with", diagnosis.surer_with.as_deref());
    fact("recovery", recovery(diagnosis).as_deref());
}

/// The title of the page, and its heading.
pub(super) fn title(result: &RunResult, diagnosis: &Diagnosis) -> String {
    match result.verdict.result {
        Outcome::Invalid => lead::sentence(&result.verdict),
        _ => format!("{}.", headline(diagnosis)),
    }
}

/// Writes the staircase and its levels.
pub(super) fn staircase(html: &mut Html, result: &RunResult) {
    let Some(diagnosis) = &result.diagnosis else { return };
    let Some(svg) = staircase_svg(diagnosis, Scheme::Page) else { return };
    html.element("div", &[("class", "pictures")], |html| {
        html.element("figure", &[], |html| html.drawing(&svg));
    });
    levels(html, &diagnosis.by_streams());
    let lost: Vec<_> = diagnosis.rejected.iter().chain(&diagnosis.failed).collect();
    if !lost.is_empty() {
        let lost: Vec<_> = lost.into_iter().map(|(why, number)| format!("{why}: {}", count(*number))).collect();
        html.leaf("p", &[], &format!("Streams that were rejected, by status, or failed: {}.", lost.join(", ")));
    }
}

fn levels(html: &mut Html, levels: &[&DiagnosisLevel]) {
    let probes = probe_names(levels.iter().copied());
    let known = |of: fn(&DiagnosisLevel) -> bool| levels.iter().any(|level| of(level));
    let columns: Vec<Column> = COLUMNS.into_iter().filter(|(_, is_known, _)| known(*is_known)).collect();
    table(html, "Each number of streams, and the p99 of each probe", |html| {
        let of_probes: Vec<_> = probes.iter().map(|name| probe_title(name)).collect();
        let heads_of_columns = columns.iter().map(|(head, ..)| *head);
        let all: Vec<_> =
            ["streams"].into_iter().chain(heads_of_columns).chain(of_probes.iter().map(String::as_str)).collect();
        heads(html, &all);
        html.element("tbody", &[], |html| {
            for level in levels {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row")], &count(level.streams));
                    columns.iter().for_each(|(_, _, show)| figure(html, show(level).as_deref()));
                    probes.iter().for_each(|name| figure(html, level.probes.get(*name).and_then(shown).as_deref()));
                });
            }
        });
    });
}

/// A column of a level: its head, whether a level has it, and what it shows.
type Column = (&'static str, fn(&DiagnosisLevel) -> bool, fn(&DiagnosisLevel) -> Option<String>);

/// Those that are known and not 0 everywhere are shown.
const COLUMNS: [Column; 8] = [
    ("flowing", |_| true, |level| Some(count(level.started))),
    ("waiting", |level| level.waiting > 0, |level| Some(count(level.waiting))),
    ("lost", |level| level.lost > 0, |level| Some(count(level.lost))),
    ("chunks per second", |_| true, |level| Some(number(level.chunks_per_second))),
    ("first chunk", |level| level.first_chunk_ms.is_some(), |level| level.first_chunk_ms.map(millis)),
    ("CPU", |level| level.cpu_cores.is_some(), |level| Some(format!("{} %", number(level.cpu_cores? * 100.0)))),
    ("threads", |level| level.threads.is_some(), |level| level.threads.map(count)),
    ("descriptors", |level| level.fds.is_some(), |level| level.fds.map(count)),
];

/// `3.1 ms`, `4 s, 39 of 48 timed out`.
fn shown(probe: &ProbeLevel) -> Option<String> {
    let missing = [(probe.timed_out, "timed out"), (probe.failed, "failed")];
    let missing = missing.into_iter().filter(|(number, _)| *number > 0);
    let mut text: Vec<_> = missing.map(|(number, what)| format!("{number} of {} {what}", probe.sent)).collect();
    if let Some(p99) = probe.p99_ms() {
        text.insert(0, millis(p99));
    }
    (probe.sent > 0).then(|| text.join(", "))
}

/// Writes what was seen.
pub(super) fn evidence(html: &mut Html, result: &RunResult) {
    let evidence = result.diagnosis.as_ref().map(|diagnosis| &diagnosis.evidence[..]).unwrap_or_default();
    if !evidence.is_empty() {
        html.element("ul", &[], |html| {
            evidence.iter().for_each(|sentence| html.element("li", &[], |html| html.text_with_code(sentence)));
        });
    }
}

/// Writes what to change, and the lab that shows it.
pub(super) fn advice(html: &mut Html, result: &RunResult) {
    let Some(diagnosis) = &result.diagnosis else { return };
    if !diagnosis.advice.is_empty() {
        html.element("p", &[], |html| html.text_with_code(&diagnosis.advice));
    }
    if let Some(lab) = &diagnosis.lab {
        html.element("p", &[], |html| {
            html.text("This limit beside its fix: ");
            html.leaf("code", &[], &format!("loadgen lab {lab}"));
        });
    }
}
