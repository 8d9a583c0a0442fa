//! The verdict and its claims.

use super::terminal::table_columns;
use super::{Paint, Terminal, wrap};
use crate::result::{ClaimKind, ClaimResult, Outcome, TARGET, Verdict};

/// Prints the verdict and its claims, each with the measured figure and the threshold.
pub fn verdict(terminal: &Terminal, verdict: &Verdict) {
    let of_one_server = verdict.claims.iter().any(|claim| claim.arm == TARGET);
    let (paint, says) = match verdict.result {
        Outcome::Held if of_one_server => (Paint::Green, "all objectives met"),
        Outcome::Held => (Paint::Green, "all claims and preconditions met"),
        Outcome::NotHeld if of_one_server => (Paint::Red, "see the objectives marked NO"),
        Outcome::NotHeld => (Paint::Red, "see the claims marked NO"),
        Outcome::Invalid => (Paint::Yellow, "no conclusion can be drawn from this run"),
    };
    if !verdict.judged && verdict.result == Outcome::Held {
        terminal.line("  Not judged: no objective was given, for example --slo 'health.p99<100ms'");
    } else {
        let word = verdict.result.as_str().to_uppercase();
        terminal.line(format!("  Verdict: {} ({says})", terminal.paint(paint, &word)));
    }
    for why in verdict.invalid_because.iter().take(REASONS) {
        remark(terminal, "invalid:", why);
    }
    if verdict.invalid_because.len() > REASONS {
        remark(terminal, "invalid:", &format!("and {} more reasons", verdict.invalid_because.len() - REASONS));
    }
    for warning in &verdict.warnings {
        remark(terminal, "warning:", warning);
    }
    // General claims get a line each when they are missed, and one line together when they are met.
    let (general_met, shown): (Vec<_>, Vec<_>) = verdict.claims.iter().partition(|claim| claim.general && claim.held);
    let (effects, conditions): (Vec<_>, Vec<_>) = shown.into_iter().partition(|claim| claim.kind == ClaimKind::Effect);
    let first_heading = if of_one_server { "Objectives" } else { "Claims" };
    let widths = Widths::of(&verdict.claims);
    for (heading, claims) in [(first_heading, effects), ("Preconditions", conditions)] {
        if !claims.is_empty() {
            terminal.line("");
            terminal.line(terminal.paint(Paint::Bold, &widths.heading(heading)));
            claims.iter().for_each(|claim| terminal.line(widths.line(terminal, claim)));
        }
    }
    if !general_met.is_empty() {
        let count = general_met.len();
        let what = format!(
            "{count} more, the same for every lab: probes answered, streams flowing, no extra threads, vendor ok"
        );
        let (word, label) = ("yes", "  yes all     ");
        terminal.line(wrap(label, &what).replacen(word, &terminal.paint(Paint::Green, word), 1));
    }
}

/// Reasons to show: a run that is invalid for one reason usually has several. The result file has all.
const REASONS: usize = 4;

/// A sentence after a highlighted label.
fn remark(terminal: &Terminal, word: &str, sentence: &str) {
    let text = wrap(&format!("  {word} "), sentence);
    terminal.line(text.replacen(word, &terminal.paint(Paint::Yellow, word), 1));
}

/// Columns before an arm's name: the margin, `yes` or `NO`, and a space.
const BEFORE: usize = 6;

/// Widths of the columns of a claim's line. The claim's name gets what the others leave.
struct Widths {
    arm: usize,
    name: usize,
    measured: usize,
    required: usize,
}

impl Widths {
    fn of(claims: &[ClaimResult]) -> Self {
        let widest = |of: fn(&ClaimResult) -> String, least: &str| {
            claims.iter().map(|claim| of(claim).chars().count()).max().unwrap_or(0).max(least.len())
        };
        let arm = widest(|claim| claim.arm.clone(), "control");
        let (measured, required) = (widest(measured, "measured"), widest(required, "required"));
        let name = table_columns().saturating_sub(BEFORE + arm + 1 + 1 + measured + 2 + required);
        Widths { arm, name, measured, required }
    }

    fn heading(&self, heading: &str) -> String {
        let left = BEFORE - 2 + self.arm + 1 + self.name;
        format!("  {heading:<left$} {:>1$}  {2}", "measured", self.measured, "required")
    }

    /// The line of a claim, and a second one where its name does not fit.
    fn line(&self, terminal: &Terminal, claim: &ClaimResult) -> String {
        let (word, paint) = if claim.held { ("yes", Paint::Green) } else { ("NO ", Paint::Red) };
        let (name, rest) = split(&claim.name, self.name);
        let (arm, width) = (self.arm, self.name);
        let figures = format!("{:>1$}  {2:<3$}", measured(claim), self.measured, required(claim), self.required);
        let first = format!("  {} {:<arm$} {name:<width$} {figures}", terminal.paint(paint, word), claim.arm);
        let more = if rest.is_empty() { rest.to_owned() } else { format!("\n{:1$}{rest}", "", BEFORE + arm + 3) };
        first.trim_end().to_owned() + &more
    }
}

/// Splits `name` at the last space within `width`.
fn split(name: &str, width: usize) -> (&str, &str) {
    if name.chars().count() <= width {
        return (name, "");
    }
    let fits = |(at, _): &(usize, &str)| name[..*at].chars().count() <= width;
    let cut = name.match_indices(' ').take_while(fits).last();
    cut.map_or((name, ""), |(at, _)| (&name[..at], name[at..].trim_start()))
}

/// What was measured, with its unit.
pub(super) fn measured(claim: &ClaimResult) -> String {
    claim.measured.map_or_else(|| "no data".to_owned(), |value| claim.unit.show(value))
}

/// What is required: `at least 1 s`.
pub(super) fn required(claim: &ClaimResult) -> String {
    let comparison = match claim.comparison.as_str() {
        ">=" => "at least",
        "<=" => "at most",
        "<" => "under",
        ">" => "over",
        _ => "exactly",
    };
    format!("{comparison} {}", claim.unit.show_number(claim.threshold))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Unit;

    fn claim(name: &str, measured: f64, comparison: &str, threshold: f64, unit: Unit) -> ClaimResult {
        ClaimResult {
            name: name.to_owned(),
            kind: ClaimKind::Effect,
            arm: "broken".to_owned(),
            measured: Some(measured),
            comparison: comparison.to_owned(),
            threshold,
            unit,
            general: false,
            held: true,
        }
    }

    #[test]
    fn figures_are_shown_in_common_units() {
        let said = |claim: &ClaimResult| (measured(claim), required(claim));
        let pair = |measured: &str, required: &str| (measured.to_owned(), required.to_owned());
        let gaps = || Unit::Time { name: "gaps".into(), ms: 250.0 };
        assert_eq!(said(&claim("", 14_048.2, ">=", 100.0, Unit::Times)), pair("14,048 times", "at least 100"));
        assert_eq!(said(&claim("", 1.2, "<=", 4.8, gaps())), pair("300 ms", "at most 1.2 s"));
        assert_eq!(said(&claim("", 97.46, "<", 100.0, Unit::Percent)), pair("97.5 %", "under 100 %"));
        assert_eq!(said(&claim("", 10_002.0, "==", 0.0, Unit::STREAMS)), pair("10,002 streams", "exactly 0"));
        let nothing = ClaimResult { measured: None, ..claim("", 0.0, ">", 1.0, Unit::Milliseconds) };
        assert_eq!(said(&nothing), pair("no data", "over 1 ms"));
    }

    #[test]
    fn a_long_name_wraps_and_the_figures_stay_in_their_columns() {
        let long =
            claim("streams that reach the vendor: as many as the pool has threads", 40.0, "==", 40.0, Unit::STREAMS);
        let claims = [claim("streams lost", 0.0, "==", 0.0, Unit::STREAMS), long];
        let widths = Widths::of(&claims);
        let lines: Vec<_> = claims.iter().map(|claim| widths.line(&Terminal::plain(), claim)).collect();
        let all = lines.join("\n");
        assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
        assert_eq!(all.lines().count(), 3, "{all}");
        let column = |line: &str| line.find("exactly");
        assert_eq!(column(&lines[0]), column(&lines[1]), "{all}");
        assert_eq!(lines[1].split_whitespace().last(), Some("threads"));
    }
}
