//! What a verdict means: why a claim failed, what was not compared, and what to do next.

use crate::engine::Options;
use crate::lab::Lab;
use crate::labs;
use crate::result::{ClaimKind, ClaimResult, Outcome, Side, Verdict};

/// What `verdict` on `lab` means for the user.
pub(super) fn sentences(lab: &Lab, options: &Options, verdict: &Verdict) -> Vec<String> {
    let mut sentences = Vec::new();
    if options.expect_fixed {
        sentences.push(of_repair(lab, options, verdict));
    } else if let [Side::Broken | Side::Fixed] = options.sides[..] {
        sentences.push("One side: not judged against the control.".to_owned());
    }
    if verdict.result == Outcome::NotHeld {
        sentences.extend(
            verdict.claims.iter().find(|claim| is_missed(claim)).map(|claim| what_no_means(lab, claim, options)),
        );
    }
    if options.sides == [Side::Broken] && !options.expect_fixed && verdict.result == Outcome::NotHeld {
        let command = command(lab, options, "MENDED=1");
        sentences.push(format!("Have you repaired it? `{command}` judges it by the claims of the fix."));
    }
    sentences
}

fn of_repair(lab: &Lab, options: &Options, verdict: &Verdict) -> String {
    let claims = verdict.claims.iter().filter(|claim| claim.kind == ClaimKind::Effect);
    let (held, missed): (Vec<_>, Vec<_>) = claims.partition(|claim| claim.held);
    match verdict.result {
        Outcome::Held => {
            format!("Repaired: all {} claims of the fix hold on your server. {}", held.len(), next_after(lab, options))
        }
        Outcome::NotHeld => {
            let all = held.len() + missed.len();
            format!("Not repaired: {} of {all} claims of the fix do not hold on your server.", missed.len())
        }
        Outcome::Invalid => "Unknown whether it is repaired: no conclusion can be drawn from this run.".to_owned(),
    }
}

fn next_after(lab: &Lab, options: &Options) -> String {
    let position = labs::all().iter().position(|candidate| candidate.name == lab.name);
    match position.and_then(|position| labs::all().get(position + 1)) {
        Some(next) => format!("Next: `{}`.", command(next, options, "")),
        None => "This was the last lab.".to_owned(),
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

/// What the first failed claim means.
fn what_no_means(lab: &Lab, claim: &ClaimResult, options: &Options) -> String {
    let name = &claim.name;
    let whose = if options.expect_fixed { "your server" } else { "the fix" };
    if let Some(general) = claim.general.then(|| of_general(name)).flatten() {
        return format!("NO at '{name}': on {whose}, {general}.");
    }
    match lab.profile(options.fast).arm(&claim.arm).map(|arm| arm.side) {
        _ if options.expect_fixed => {
            format!("NO at '{name}': the fixed server meets this under the same load, yours does not yet.")
        }
        Some(Side::Fixed) => format!("NO at '{name}': the fix does not do what the lab claims."),
        _ => format!("NO at '{name}': the mistake did not show. Is it still there?"),
    }
}

/// What it means when a general claim fails.
fn of_general(name: &str) -> Option<&'static str> {
    let meanings = [
        ("probes not answered", "health checks failed or timed out"),
        ("streams failed", "some streams did not complete"),
        ("without a token", "some clients never got a token"),
        ("delay added", "tokens are held back before the first one is passed on"),
        ("time between tokens", "tokens are collected and passed on in batches"),
        ("tokens received", "tokens that the vendor sent do not reach the client"),
        ("more threads", "streams or calls hold threads"),
        ("throughout", "some streams did not reach the vendor, or not for their whole length"),
    ];
    meanings.into_iter().find(|(named, _)| name.contains(named)).map(|(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::result::Unit;

    fn options(sides: &[Side], expect_fixed: bool) -> Options {
        Options {
            sides: sides.to_vec(),
            expect_fixed,
            mistake: None,
            fast: false,
            database_url: None,
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
            unit: Unit::STREAMS,
            general: *general,
            held: *held,
        };
        Verdict { result, claims: claims.iter().map(claim).collect(), ..Verdict::open() }
    }

    fn text(options: &Options, verdict: &Verdict) -> String {
        sentences(&labs::all()[0], options, verdict).join(" ")
    }

    #[test]
    fn a_repair_that_holds_gets_the_next_lab() {
        let text =
            text(&options(&[Side::Broken], true), &verdict(Outcome::Held, &[("a", false, true), ("b", true, true)]));
        assert!(text.starts_with("Repaired: all 2 claims of the fix hold on your server."), "{text}");
        assert!(text.contains(&format!("NAME={}`", labs::all()[1].name)), "{text}");
    }

    #[test]
    fn a_failed_claim_is_explained() {
        let missed = verdict(Outcome::NotHeld, &[("a", false, true), ("more threads than idle", true, false)]);
        let repair = text(&options(&Side::ALL, true), &missed);
        assert!(
            repair.contains("Not repaired: 1 of 2 claims") && repair.contains("on your server, streams"),
            "{repair}"
        );
        let gone = verdict(Outcome::NotHeld, &[("health-sync hangs", false, false)]);
        let both = text(&options(&Side::ALL, false), &gone);
        assert_eq!(both, "NO at 'health-sync hangs': the mistake did not show. Is it still there?");
        let alone = text(&options(&[Side::Broken], false), &gone);
        assert!(alone.contains("One side: not judged against the control.") && alone.contains("MENDED=1"), "{alone}");
    }

    #[test]
    fn a_lab_that_holds_needs_no_explanation() {
        let held = verdict(Outcome::Held, &[("a", false, true)]);
        assert!(sentences(&labs::all()[0], &options(&Side::ALL, false), &held).is_empty());
        let invalid = verdict(Outcome::Invalid, &[("a", false, false)]);
        assert!(text(&options(&[Side::Broken], true), &invalid).contains("Unknown whether it is repaired"));
    }
}
