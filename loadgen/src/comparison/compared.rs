//! Runs side by side: their arms, their figures and what differs in their parameters.

use std::collections::BTreeSet;

use serde_json::Value;

use super::figures::{Figure, Measured, measured};
use crate::result::{Outcome, RunResult, Side};

/// A run with the name by which it is shown, which is that of its file.
#[derive(Debug)]
pub struct NamedRun {
    /// Its name.
    pub name: String,
    /// Its result.
    pub result: RunResult,
}

/// Some runs side by side.
#[derive(Debug)]
pub struct Comparison {
    /// The runs; the first is the reference.
    pub runs: Vec<NamedRun>,
    /// The arms with their figures.
    pub arms: Vec<ComparedArm>,
    /// The parameters that are not the same in all of them.
    pub differences: Vec<Difference>,
}

/// An arm in all runs.
#[derive(Debug)]
pub struct ComparedArm {
    /// Its name; `target` for the one server under load.
    pub name: String,
    /// Whether it is that of the fix, or the one server: whether a regression is looked for.
    pub is_judged: bool,
    /// Its figures.
    pub figures: Vec<ComparedFigure>,
}

/// A figure in all runs.
#[derive(Debug)]
pub struct ComparedFigure {
    /// What it is, in which unit, and which differences are noise.
    pub figure: Figure,
    /// Its value in each run; `None` where there was nothing to measure.
    pub values: Vec<Option<f64>>,
}

/// A parameter with different values.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Its value in each run.
    pub values: Vec<Option<Value>>,
}

/// Why runs cannot be compared.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error(
    "{first} is of {first_subject} and {other} of {other_subject}: only runs of the same command and lab can be compared"
)]
pub struct NotComparable {
    first: String,
    first_subject: String,
    other: String,
    other_subject: String,
}

impl Comparison {
    /// Compares these runs.
    ///
    /// # Errors
    /// The first run that is of another command or lab than the reference.
    pub fn of(runs: Vec<NamedRun>) -> Result<Self, NotComparable> {
        if let [first, others @ ..] = &runs[..] {
            others.iter().try_for_each(|other| check(first, other))?;
        }
        let results: Vec<_> = runs.iter().map(|run| &run.result).collect();
        let figures_are_comparable = results.iter().any(|result| result.diagnosis.is_none());
        let arms = arms_of(&results)
            .into_iter()
            .filter(|_| figures_are_comparable)
            .map(|(name, is_judged)| ComparedArm { figures: figures_of(&results, &name), name, is_judged });
        let mut arms: Vec<_> = arms.filter(|arm| !arm.figures.is_empty()).collect();
        // What is judged comes first.
        arms.sort_by_key(|arm| !arm.is_judged);
        let differences = differences(&results);
        Ok(Comparison { arms, differences, runs })
    }

    /// Whether one of the runs is invalid.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.runs.iter().any(|run| run.result.verdict.result == Outcome::Invalid)
    }
}

impl ComparedFigure {
    /// How many times the reference the value of this run is; `None` if one of them is absent or the reference is 0.
    #[must_use]
    pub fn ratio(&self, run: usize) -> Option<f64> {
        let (first, other) = (self.value(0)?, self.value(run)?);
        (first != 0.0).then(|| other / first)
    }

    /// The value of this run.
    #[must_use]
    pub fn value(&self, run: usize) -> Option<f64> {
        self.values.get(run).copied().flatten()
    }
}

fn check(first: &NamedRun, other: &NamedRun) -> Result<(), NotComparable> {
    let (first_subject, other_subject) = (subject(&first.result), subject(&other.result));
    if first_subject == other_subject {
        return Ok(());
    }
    let (first, other) = (first.name.clone(), other.name.clone());
    Err(NotComparable { first, first_subject, other, other_subject })
}

/// What must be the same: the command, and the lab if it is one. `--fast` makes another lab of it.
fn subject(result: &RunResult) -> String {
    let lab = result.parameters.get("lab").and_then(Value::as_str).filter(|_| result.command != "demo");
    let fast = result.parameters.get("fast").and_then(Value::as_bool).unwrap_or(false);
    let words = [Some(result.command.as_str()), lab, fast.then_some("--fast")];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The arms of all runs, in the order of output, each with whether it is judged: those of the fix, a repair that is
/// judged as one, or the one server under load.
fn arms_of(results: &[&RunResult]) -> Vec<(String, bool)> {
    let mut arms: Vec<(String, bool)> = Vec::new();
    for result in results {
        let is_repair = result.parameters.get("expect_fixed").is_some_and(|expected| *expected == true);
        for (name, arm) in result.servers() {
            let is_judged = arm.side.is_none_or(|side| side == Side::Fixed) || is_repair;
            if !arms.iter().any(|(known, _)| known == name) {
                arms.push((name.to_owned(), is_judged));
            }
        }
    }
    arms
}

/// The figures of the arm of this name that at least one run has.
fn figures_of(results: &[&RunResult], arm: &str) -> Vec<ComparedFigure> {
    let of_run = |result: &&RunResult| {
        let servers = result.servers();
        servers.iter().find(|(name, _)| *name == arm).map(|(_, arm)| measured(arm)).unwrap_or_default()
    };
    let runs: Vec<Vec<Measured>> = results.iter().map(of_run).collect();
    let mut seen = BTreeSet::new();
    let all = runs.iter().flatten().filter(|(figure, _)| seen.insert(figure.name.clone()));
    let compared = |(figure, _): &Measured| {
        let value =
            |run: &Vec<Measured>| run.iter().find(|(other, _)| other.name == figure.name).map(|(_, value)| *value);
        ComparedFigure { figure: figure.clone(), values: runs.iter().map(value).collect() }
    };
    all.map(compared).collect()
}

/// The parameters that differ, by name.
fn differences(results: &[&RunResult]) -> Vec<Difference> {
    let names: BTreeSet<_> = results.iter().flat_map(|result| result.parameters.keys()).collect();
    let difference = |name: &String| {
        let values: Vec<_> = results.iter().map(|result| result.parameters.get(name).cloned()).collect();
        let differ = values.iter().any(|value| *value != values[0]);
        differ.then(|| Difference { name: name.clone(), values })
    };
    names.into_iter().filter_map(difference).collect()
}
