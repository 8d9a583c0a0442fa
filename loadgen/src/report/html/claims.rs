//! The claims, each with what was measured, what is required, and a word for whether it is met.

use super::table::cards;
use super::writer::Html;
use crate::report::claims::{measured, required};
use crate::result::{ClaimKind, ClaimResult, NamedArm, RunResult, TARGET};

/// Writes the claims, those that are not met first among those of their kind.
pub(super) fn claims(html: &mut Html, result: &RunResult) {
    let claims = &result.verdict.claims;
    let (effects, preconditions): (Vec<_>, Vec<_>) = claims.iter().partition(|claim| claim.kind == ClaimKind::Effect);
    let of_one_server = claims.iter().any(|claim| claim.arm == TARGET);
    let first = if of_one_server { "Objectives: what was required" } else { "Claims: what the run must show" };
    for (caption, mut claims) in [(first, effects), ("Preconditions: without them the run is invalid", preconditions)] {
        if claims.is_empty() {
            continue;
        }
        claims.sort_by_key(|claim| claim.held);
        // Those that are the same for every lab matter when they are missed.
        let (usual, shown): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| claim.general && claim.held);
        claim_table(html, caption, &shown, &result.servers());
        if !usual.is_empty() {
            let summary = format!("{} more, the same for every lab, all met", usual.len());
            html.element("details", &[], |html| {
                html.leaf("summary", &[], &summary);
                claim_table(html, &format!("{caption}; the same for every lab"), &usual, &result.servers());
            });
        }
    }
}

fn claim_table(html: &mut Html, caption: &str, claims: &[&ClaimResult], servers: &[NamedArm]) {
    if claims.is_empty() {
        return;
    }
    cards(html, caption, |html| {
        head(html, claims.iter().any(|claim| claim.arm == TARGET));
        html.element("tbody", &[], |html| claims.iter().for_each(|claim| row(html, claim, servers)));
    });
}

fn head(html: &mut Html, of_one_server: bool) {
    let (who, what) = if of_one_server { ("server", "objective") } else { ("arm", "claim") };
    html.element("thead", &[], |html| {
        html.element("tr", &[], |html| {
            for (head, class) in [("met?", ""), (who, ""), (what, ""), ("measured", "number")] {
                html.leaf("th", &[("scope", "col"), ("class", class)], head);
            }
            html.leaf("th", &[("scope", "col")], "required");
            html.leaf("th", &[("scope", "col")], "kind");
        });
    });
}

fn row(html: &mut Html, claim: &ClaimResult, servers: &[NamedArm]) {
    html.element("tr", &[], |html| {
        let (class, word) = if claim.held { ("good", "✔ yes") } else { ("bad", "✘ NO") };
        html.leaf("td", &[("class", class)], word);
        html.element("td", &[], |html| match servers.iter().find(|(name, _)| *name == claim.arm) {
            Some(server) => super::table::arm(html, *server),
            None => html.text(&claim.arm),
        });
        html.leaf("th", &[("scope", "row"), ("class", "whole")], &claim.name);
        html.leaf("td", &[("class", "number"), ("data-label", "measured")], &measured(claim));
        html.leaf("td", &[("data-label", "required")], &required(claim));
        html.leaf("td", &[("class", "whole"), ("data-label", "kind")], kind(claim));
    });
}

/// The kind of a claim in words.
fn kind(claim: &ClaimResult) -> &'static str {
    match claim.kind {
        ClaimKind::Effect if claim.arm == TARGET => "objective",
        ClaimKind::Effect if claim.general => "claim, the same for every lab",
        ClaimKind::Effect => "claim of this lab",
        ClaimKind::Pressure => "was the load there?",
        ClaimKind::Control => "was the control clean?",
        ClaimKind::Condition => "is another cause ruled out?",
    }
}
