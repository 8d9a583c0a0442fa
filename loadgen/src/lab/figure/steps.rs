//! Figures of a sequence, one request after another.

use super::{Figure, Place, Source};
use crate::result::{RunResult, StepResult, Unit};

/// A figure of the steps of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepFigure {
    /// Steps that were answered completely.
    Answered,
    /// Steps that were answered with this HTTP status.
    Status(u16),
    /// The place of the first step that was not, from 1; 0 if all were.
    FirstFailure,
    /// The duration of the longest step, in percent of all of them together.
    LongestShare,
}

impl StepFigure {
    /// Its value; `None` without a step.
    fn of_steps(self, steps: &[StepResult]) -> Option<f64> {
        let durations = || steps.iter().map(|step| step.duration_ms);
        let value = match self {
            StepFigure::Answered => steps.iter().filter(|step| step.failure.is_none()).count() as f64,
            StepFigure::Status(status) => steps.iter().filter(|step| step.status == Some(status)).count() as f64,
            StepFigure::FirstFailure => {
                steps.iter().position(|step| step.failure.is_some()).map_or(0.0, |before| before as f64 + 1.0)
            }
            StepFigure::LongestShare => 100.0 * durations().fold(0.0, f64::max) / durations().sum::<f64>(),
        };
        (!steps.is_empty()).then_some(value)
    }
}

impl Source for StepFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        self.of_steps(place.phase_in(result)?.steps())
    }

    fn unit(&self) -> Unit {
        match self {
            StepFigure::Answered | StepFigure::Status(_) => Unit::CALLS,
            StepFigure::FirstFailure => Unit::NONE,
            StepFigure::LongestShare => Unit::Percent,
        }
    }
}

impl Place {
    /// A figure of the steps of a sequence.
    #[must_use]
    pub fn steps(self, what: StepFigure) -> Figure {
        Figure::new(self, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(failure: Option<&str>, duration_ms: f64) -> StepResult {
        let failure = failure.map(str::to_owned);
        let status = if failure.is_some() { None } else { Some(200) };
        StepResult { name: String::new(), status, failure, duration_ms, tokens: None }
    }

    #[test]
    fn the_first_failure_counts_from_one() {
        let steps = [step(None, 10.0), step(Some("timed out"), 30.0), step(None, 40.0), step(Some("broke off"), 20.0)];
        let of = |what: StepFigure, steps: &[StepResult]| what.of_steps(steps);
        assert_eq!(of(StepFigure::FirstFailure, &steps), Some(2.0));
        assert_eq!(of(StepFigure::FirstFailure, &steps[..1]), Some(0.0), "none");
        assert_eq!(of(StepFigure::Answered, &steps), Some(2.0));
        assert_eq!(of(StepFigure::Status(200), &steps), Some(2.0));
        assert_eq!(of(StepFigure::LongestShare, &steps), Some(40.0));
        assert_eq!(of(StepFigure::Answered, &[]), None);
    }
}
