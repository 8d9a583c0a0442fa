//! What a verdict means, in sentences: what to think of a NO, what was not compared, and what comes next.

use crate::engine::Options;
use crate::lab::Lab;
use crate::labs::LABS;
use crate::result::{ClaimKind, ClaimResult, Outcome, Side, Verdict};

/// What follows from `verdict` for whoever ran `lab`.
pub(super) fn sentences(lab: &Lab, options: &Options, verdict: &Verdict) -> Vec<String> {
    let mut sentences = Vec::new();
    if options.expect_fixed {
        sentences.push(of_repair(lab, options, verdict));
    } else if let [Side::Broken | Side::Fixed] = options.sides[..] {
        sentences.push("One side: not judged against the control.".to_owned());
    }
    if verdict.result == Outcome::NotHeld {
        sentences
            .extend(verdict.claims.iter().find(|claim| is_missed(claim)).map(|claim| what_no_means(claim, options)));
    }
    if options.sides == [Side::Broken] && !options.expect_fixed && verdict.result == Outcome::NotHeld {
        let command = command(lab, options, "MENDED=1");
        sentences.push(format!("Have you mended it? `{command}` asks it for what is claimed of the fix."));
    }
    sentences
}

fn of_repair(lab: &Lab, options: &Options, verdict: &Verdict) -> String {
    let asked = verdict.claims.iter().filter(|claim| claim.kind == ClaimKind::Effect);
    let (held, missed): (Vec<_>, Vec<_>) = asked.partition(|claim| claim.held);
    match verdict.result {
        Outcome::Held => {
            format!("Mended: all {} claims of the fix hold on your server. {}", held.len(), next_after(lab, options))
        }
        Outcome::NotHeld => {
            let all = held.len() + missed.len();
            format!("Not mended: {} of {all} claims of the fix do not hold on your server.", missed.len())
        }
        Outcome::Invalid => {
            "Whether it is mended cannot be said: this run proves nothing about your server.".to_owned()
        }
    }
}

fn next_after(lab: &Lab, options: &Options) -> String {
    let position = LABS.iter().position(|candidate| candidate.name == lab.name);
    match position.and_then(|position| LABS.get(position + 1)) {
        Some(next) => format!("Next: `{}`.", command(next, options, "")),
        None => "It was the last one.".to_owned(),
    }
}

fn command(lab: &Lab, options: &Options, more: &str) -> String {
    let fast = if options.fast { "FAST=1" } else { "" };
    let words = ["make lab", &format!("NAME={}", lab.name), more, fast];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_missed(claim: &ClaimResult) -> bool {
    claim.kind == ClaimKind::Effect && !claim.held
}

/// What the first NO means.
fn what_no_means(claim: &ClaimResult, options: &Options) -> String {
    let name = &claim.name;
    let whose = if options.expect_fixed { "your server" } else { "the fix" };
    if let Some(general) = claim.general.then(|| of_general(name)).flatten() {
        return format!("NO at '{name}': of {whose}, {general}.");
    }
    match Side::of(&claim.arm) {
        _ if options.expect_fixed => {
            format!("NO at '{name}': the fixed server does this under the same load, and yours does not yet.")
        }
        Some(Side::Fixed) => format!("NO at '{name}': the fix does not do what is claimed of it."),
        _ => format!("NO at '{name}': the mistake did not show. Is it still there?"),
    }
}

/// What it means when something is missed that is required of every clean server.
fn of_general(name: &str) -> Option<&'static str> {
    let meanings = [
        ("probes not answered", "health checks were refused or timed out"),
        ("streams failed", "some streams did not come to their end"),
        ("without a token", "some clients never got a word"),
        ("first token later", "tokens are held back before the first of them is passed on"),
        ("time between tokens", "tokens are collected and passed on many at once"),
        ("tokens received", "tokens that the vendor has sent do not reach the client"),
        ("threads over idle", "streams or calls keep threads"),
        ("throughout", "some streams did not reach the vendor, or not for as long as they should"),
    ];
    meanings.into_iter().find(|(named, _)| name.contains(named)).map(|(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn options(sides: &[Side], expect_fixed: bool) -> Options {
        Options {
            sides: sides.to_vec(),
            expect_fixed,
            mistake: None,
            fast: false,
            program_dir: "here".into(),
            start_timeout: Duration::from_secs(1),
            command: "lab".into(),
        }
    }

    fn verdict(result: Outcome, claims: &[(&str, bool, bool)]) -> Verdict {
        let claim = |(name, general, held): &(&str, bool, bool)| ClaimResult {
            name: (*name).to_owned(),
            kind: ClaimKind::Effect,
            arm: "broken".to_owned(),
            measured: Some(1.0),
            comparison: "==".to_owned(),
            threshold: 1.0,
            unit: "streams".to_owned(),
            unit_ms: None,
            general: *general,
            held: *held,
        };
        Verdict { result, claims: claims.iter().map(claim).collect(), ..Verdict::open() }
    }

    fn said(options: &Options, verdict: &Verdict) -> String {
        sentences(LABS[0], options, verdict).join(" ")
    }

    #[test]
    fn a_repair_that_holds_is_told_so_and_what_comes_next() {
        let said =
            said(&options(&[Side::Broken], true), &verdict(Outcome::Held, &[("a", false, true), ("b", true, true)]));
        assert!(said.starts_with("Mended: all 2 claims of the fix hold on your server."), "{said}");
        assert!(said.contains(&format!("NAME={}`", LABS[1].name)), "{said}");
    }

    #[test]
    fn a_no_is_explained() {
        let missed = verdict(Outcome::NotHeld, &[("a", false, true), ("threads over idle", true, false)]);
        let repair = said(&options(&Side::ALL, true), &missed);
        assert!(repair.contains("Not mended: 1 of 2 claims") && repair.contains("of your server, streams"), "{repair}");
        let gone = verdict(Outcome::NotHeld, &[("health-sync hangs", false, false)]);
        let both = said(&options(&Side::ALL, false), &gone);
        assert_eq!(both, "NO at 'health-sync hangs': the mistake did not show. Is it still there?");
        let alone = said(&options(&[Side::Broken], false), &gone);
        assert!(alone.contains("One side: not judged against the control.") && alone.contains("MENDED=1"), "{alone}");
    }

    #[test]
    fn every_lab_says_nothing_more_when_it_holds() {
        let held = verdict(Outcome::Held, &[("a", false, true)]);
        assert!(sentences(LABS[0], &options(&Side::ALL, false), &held).is_empty());
        let invalid = verdict(Outcome::Invalid, &[("a", false, false)]);
        assert!(said(&options(&[Side::Broken], true), &invalid).contains("cannot be said"));
    }
}
