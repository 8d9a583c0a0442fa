//! Whether a run is worse than the reference.

use super::{ComparedFigure, Comparison};
use crate::result::Outcome;

/// A figure that is worse than in the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// The place of the run; that of the reference is 0.
    pub run: usize,
    /// The arm, and the figure or `verdict`.
    pub what: String,
}

/// What comes of the search for regressions.
#[derive(Debug, Clone, PartialEq)]
pub enum RegressionVerdict {
    /// Nothing is worse by more than was allowed.
    None,
    /// These are.
    Found(Vec<Regression>),
    /// One of the runs is invalid: it says nothing, neither good nor bad.
    Invalid,
    /// No run has an arm of the fix, or one server.
    NothingToCompare,
}

impl ComparedFigure {
    /// Whether the value of this run is worse than the reference by more than `percent`, and not by noise.
    #[must_use]
    pub fn is_worse(&self, run: usize, percent: f64) -> bool {
        match (self.value(0), self.value(run)) {
            (Some(first), Some(other)) => other > first * (1.0 + percent / 100.0) && other - first > self.figure.noise,
            _ => false,
        }
    }
}

impl Comparison {
    /// Looks for figures of the fix, or of the one server, that are worse than in the first run by more than
    /// `percent`; of diagnoses, for a server that collapses with fewer streams. It is a regression too if the first run
    /// held and another did not.
    #[must_use]
    pub fn regressions(&self, percent: f64) -> RegressionVerdict {
        if self.is_invalid() {
            return RegressionVerdict::Invalid;
        }
        let diagnoses = self.worse_diagnoses(percent);
        if diagnoses.is_none() && !self.arms.iter().any(|arm| arm.is_judged) {
            return RegressionVerdict::NothingToCompare;
        }
        let held = |run: usize| self.runs[run].result.verdict.result == Outcome::Held;
        let mut found: Vec<Regression> = Vec::new();
        found.extend(diagnoses.into_iter().flatten().map(|(run, what)| Regression { run, what }));
        for run in 1..self.runs.len() {
            let mut add = |what: String| found.push(Regression { run, what });
            if held(0) && !held(run) {
                add("the verdict: not held".to_owned());
            }
            for arm in self.arms.iter().filter(|arm| arm.is_judged) {
                let worse = arm.figures.iter().filter(|figure| figure.is_worse(run, percent));
                worse.for_each(|figure| add(format!("{}: {}", arm.name, figure.in_words(run))));
            }
        }
        if found.is_empty() { RegressionVerdict::None } else { RegressionVerdict::Found(found) }
    }
}

impl ComparedFigure {
    /// `health-sync p99 from 3 ms to 40 ms`.
    fn in_words(&self, run: usize) -> String {
        let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| self.figure.unit.show(value));
        format!("{} from {} to {}", self.figure.name, show(self.value(0)), show(self.value(run)))
    }
}
