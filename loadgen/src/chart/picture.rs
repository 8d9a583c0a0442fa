//! A picture of a run for a page of text, such as README.md.

use super::probes::probes;
use super::scheme::Scheme;
use super::staircase::staircase_svg;
use super::timeline::timeline_svg;
use crate::numbers::bytes;
use crate::result::{Environment, RunResult};

/// The run over time, as a file: its first probe, with a comment that says which command made the result, on which
/// machine, and what came of it; of a diagnosis, its staircase. `None` if the result has neither.
#[must_use]
pub fn picture(result: &RunResult, scheme: Scheme) -> Option<String> {
    let svg = match &result.diagnosis {
        Some(diagnosis) => staircase_svg(diagnosis, scheme)?,
        None => timeline_svg(result, probes(result).first()?, scheme)?,
    };
    let Environment { cores, memory_bytes, os } = &result.environment;
    let (command, outcome, memory) = (&result.command, result.verdict.result.as_str(), bytes(*memory_bytes));
    let comment = format!(
        "Made by `make pictures` from a run of `loadgen {command}`: {outcome}. \
         Machine: {cores} cores, {memory} of memory, {os}."
    );
    Some(format!("<!-- {} -->\n{svg}", within_comment(&comment)))
}

/// A comment has no two hyphens in a row, and nothing that XML does not allow.
fn within_comment(text: &str) -> String {
    let allowed = |c: char| !c.is_control() && c != '\u{fffe}' && c != '\u{ffff}';
    let mut kept = String::with_capacity(text.len());
    for character in text.chars().filter(|c| allowed(*c)) {
        if character == '-' && kept.ends_with('-') {
            kept.push(' ');
        }
        kept.push(character);
    }
    kept
}
