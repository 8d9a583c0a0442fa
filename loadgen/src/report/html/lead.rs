//! What a page says first: the verdict in words, why a run is invalid, and what it showed.

use serde_json::Value;

use super::writer::Html;
use crate::labs;
use crate::report::claims::{measured, required};
use crate::report::prose::{is_about_health, sentences};
use crate::report::sequence::sequence_sentences;
use crate::result::{ClaimResult, Outcome, RunResult, TARGET, Verdict};

/// Claims that are named if they are not met; the others are below.
const NAMED_MAX: usize = 5;

/// The class of a verdict in the style.
pub(super) fn class(verdict: &Verdict) -> &'static str {
    match verdict.result {
        Outcome::Held if !verdict.judged => "",
        Outcome::Held => "held",
        Outcome::NotHeld => "not-held",
        Outcome::Invalid => "invalid",
    }
}

/// Writes the verdict and what the run showed.
pub(super) fn lead(html: &mut Html, result: &RunResult) {
    html.leaf("p", &[("class", "kind")], &subject(result));
    html.element("h1", &[], |html| {
        html.leaf("span", &[("aria-hidden", "true")], sign(&result.verdict));
        html.text(" ");
        html.text(&sentence(&result.verdict));
    });
    body(html, result);
}

/// Writes the same of one of several runs, without its heading.
pub(super) fn of_several(html: &mut Html, result: &RunResult) {
    html.element("p", &[], |html| {
        let sentence = format!("{} {}", sign(&result.verdict), sentence(&result.verdict));
        html.leaf("b", &[], &sentence);
    });
    body(html, result);
}

fn body(html: &mut Html, result: &RunResult) {
    reasons(html, &result.verdict);
    let showed = showed(result);
    if !showed.is_empty() {
        html.leaf("p", &[("class", "summary")], &showed);
    }
    for (what, text) in wrong_and_right(result) {
        html.element("p", &[], |html| {
            html.leaf("b", &[], what);
            html.text(" ");
            html.text(&text);
        });
    }
    warnings(html, &result.verdict);
}

/// What was run: `loadgen lab pool-exhaustion, fast`.
pub(super) fn subject(result: &RunResult) -> String {
    let parameter = |name: &str| result.parameters.get(name).and_then(Value::as_str);
    let of = match result.command.as_str() {
        "demo" => None,
        "lab" => parameter("lab"),
        _ => parameter("url"),
    };
    let fast = result.parameters.get("fast").and_then(Value::as_bool).unwrap_or(false);
    let words = ["loadgen", &result.command, of.unwrap_or_default()].join(" ");
    format!("{}{}", words.trim_end(), if fast { ", with the small numbers of --fast" } else { "" })
}

/// The class of words that say a verdict.
pub(super) fn word_class(verdict: &Verdict) -> &'static str {
    match class(verdict) {
        "held" => "good",
        "not-held" => "bad",
        "invalid" => "doubt",
        _ => "",
    }
}

/// A sign beside the word, for those who do not see the colour.
pub(super) fn sign(verdict: &Verdict) -> &'static str {
    match verdict.result {
        Outcome::Held if !verdict.judged => "–",
        Outcome::Held => "✔",
        Outcome::NotHeld => "✘",
        Outcome::Invalid => "?",
    }
}

/// The verdict in a sentence.
pub(super) fn sentence(verdict: &Verdict) -> String {
    let all = verdict.claims.len();
    let missed = verdict.claims.iter().filter(|claim| !claim.held).count();
    let (one, many) = if verdict.claims.iter().any(|claim| claim.arm == TARGET) {
        ("the objective is", "objectives are")
    } else {
        ("the claim is", "claims and preconditions are")
    };
    match verdict.result {
        Outcome::Invalid => "Invalid: no conclusion can be drawn from this run.".to_owned(),
        Outcome::Held if !verdict.judged => "Not judged: the run measured, and no objective was given.".to_owned(),
        Outcome::Held if all == 1 => format!("Held: {one} met."),
        Outcome::Held => format!("Held: all {all} {many} met."),
        Outcome::NotHeld if all == 1 => format!("Not held: {one} not met."),
        Outcome::NotHeld => {
            format!("Not held: of {all} {}, {missed} {} not met.", many.trim_end_matches(" are"), are(missed))
        }
    }
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// Why it is invalid, or which claims are not met.
pub(super) fn reasons(html: &mut Html, verdict: &Verdict) {
    let missed: Vec<_> = verdict.claims.iter().filter(|claim| !claim.held).collect();
    let lines: Vec<_> = match verdict.result {
        Outcome::Held => return,
        Outcome::Invalid => verdict.invalid_because.clone(),
        Outcome::NotHeld => missed.iter().take(NAMED_MAX).map(|claim| in_words(claim)).collect(),
    };
    html.element("ul", &[], |html| {
        lines.iter().for_each(|line| html.leaf("li", &[], line));
        if verdict.result == Outcome::NotHeld && missed.len() > NAMED_MAX {
            html.leaf("li", &[], &format!("and {} more, marked NO below", missed.len() - NAMED_MAX));
        }
    });
}

fn in_words(claim: &ClaimResult) -> String {
    let whose = if claim.arm == TARGET { String::new() } else { format!("{}: ", claim.arm) };
    format!("{whose}{}: measured {}, required {}", claim.name, measured(claim), required(claim))
}

/// What it showed, from its figures.
fn showed(result: &RunResult) -> String {
    let sequence = result.target.as_ref().and_then(|target| target.sequence.as_ref());
    match sequence {
        Some(sequence) => sequence_sentences(sequence).join(" "),
        None if is_about_health(result) => sentences(result).join(" "),
        None => String::new(),
    }
}

/// What a lab has wrong and right, if it is a lab of this program.
fn wrong_and_right(result: &RunResult) -> Vec<(&'static str, String)> {
    let parameter = |name: &str| result.parameters.get(name).and_then(Value::as_str);
    let Some(lab) = parameter("lab").and_then(|name| labs::all().iter().find(|lab| lab.name == name)) else {
        return Vec::new();
    };
    let broken = match parameter("mistake") {
        Some(mistake) if mistake != lab.name => format!("--mistake {mistake}, instead of the lab's own"),
        _ => lab.mistake.to_owned(),
    };
    let mut lines = vec![("Broken:", broken), ("Fixed:", lab.fix.to_owned())];
    if result.parameters.get("expect_fixed").and_then(Value::as_bool) == Some(true) {
        lines.push(("Judged:", "broken-server, by the claims of the fix".to_owned()));
    }
    lines
}

/// Writes the warnings beside the verdict.
pub(super) fn warnings(html: &mut Html, verdict: &Verdict) {
    for warning in &verdict.warnings {
        html.element("p", &[], |html| {
            html.leaf("b", &[("class", "doubt")], "Warning:");
            html.text(" ");
            html.text(warning);
        });
    }
}
