use super::{Paint, Terminal};
use crate::result::{ClaimKind, ClaimResult, Outcome, Verdict};

/// Prints the claims, each with its figure and threshold, and the verdict.
pub fn verdict(terminal: &Terminal, verdict: &Verdict) {
    let (effects, conditions): (Vec<_>, Vec<_>) =
        verdict.claims.iter().partition(|claim| claim.kind == ClaimKind::Effect);
    let arm_width = verdict.claims.iter().map(|claim| claim.arm.len()).max().unwrap_or(0).max(ARM);
    let of_one_server = effects.iter().any(|claim| claim.arm == "target");
    let first_heading = if of_one_server { "Objectives" } else { "Claimed" };
    for (heading, claims) in [(first_heading, effects), ("And for that to count", conditions)] {
        if !claims.is_empty() {
            terminal.line(terminal.paint(Paint::Bold, &format!("  {heading}")));
            claims.iter().for_each(|claim| terminal.line(claim_line(terminal, claim, arm_width)));
            terminal.line("");
        }
    }
    for why in &verdict.invalid_because {
        remark(terminal, "invalid:", why);
    }
    for warning in &verdict.warnings {
        remark(terminal, "warning:", warning);
    }
    let (paint, says) = match verdict.result {
        Outcome::Held => (Paint::Green, "all of it is so"),
        Outcome::NotHeld => (Paint::Red, "see NO above"),
        Outcome::Invalid => (Paint::Yellow, "this run proves nothing"),
    };
    if !verdict.judged && verdict.result == Outcome::Held {
        terminal.line("  Not judged: no objective was given, such as --slo 'health.p99<100ms'");
        return;
    }
    let word = verdict.result.as_str().to_uppercase();
    terminal.line(format!("  Verdict: {} ({says})", terminal.paint(paint, &word)));
}

/// A sentence after its word.
fn remark(terminal: &Terminal, word: &str, sentence: &str) {
    let text = super::wrap(&format!("  {word} "), sentence);
    terminal.line(text.replacen(word, &terminal.paint(Paint::Yellow, word), 1));
}

/// The name of an arm and of a claim share these columns.
const NAMES: usize = 52;
/// Columns of an arm's name at least.
const ARM: usize = 7;
/// Columns of a figure; a longer one takes them from the claim's name.
const MEASURED: usize = 9;

fn claim_line(terminal: &Terminal, claim: &ClaimResult, arm: usize) -> String {
    let (word, paint) = if claim.held { ("yes", Paint::Green) } else { ("NO ", Paint::Red) };
    let measured = claim.measured.map_or_else(|| "nothing".to_owned(), |value| with_unit(value, &claim.unit));
    // A unit in words is said once.
    let threshold =
        if in_words(&claim.unit) { format!("{:.2}", claim.threshold) } else { with_unit(claim.threshold, &claim.unit) };
    let name = NAMES.saturating_sub(arm + 1 + measured.chars().count().saturating_sub(MEASURED));
    format!(
        "  {} {:<arm$} {:<name$} {measured:>MEASURED$}  {} {threshold}",
        terminal.paint(paint, word),
        claim.arm,
        claim.name,
        claim.comparison
    )
}

fn in_words(unit: &str) -> bool {
    matches!(unit, "gaps" | "of a stream" | "of a stall" | "of its bound")
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ms" => super::millis(value),
        "x" => format!("{}x", super::count(value.round() as u64)),
        "cores" => format!("{value:.2}"),
        unit if in_words(unit) => format!("{value:.2} {unit}"),
        "%" => format!("{value:.1} %"),
        _ => super::count(value.round() as u64),
    }
}
