//! Diagnoses side by side: of each what it found, and whether a server now collapses with fewer streams.

use super::compared::Comparison;
use crate::numbers::count;
use crate::result::{Diagnosis, DiagnosisKind};

impl Comparison {
    /// What each run found, if all of them are diagnoses. Figures under load are not compared then: each was loaded until
    /// it collapsed.
    #[must_use]
    pub fn diagnoses(&self) -> Option<Vec<&Diagnosis>> {
        self.runs.iter().map(|run| run.result.diagnosis.as_ref()).collect()
    }

    /// The runs of which the server no longer streams, or collapses with fewer streams than that of the first run by more
    /// than `percent`; each with what is worse. None if these are no diagnoses.
    pub(super) fn worse_diagnoses(&self, percent: f64) -> Option<Vec<(usize, String)>> {
        let diagnoses = self.diagnoses()?;
        let first = diagnoses.first()?;
        let worse = |(run, other): (usize, &&Diagnosis)| Some((run, worse(first, other, percent)?));
        Some(diagnoses.iter().enumerate().skip(1).filter_map(worse).collect())
    }
}

fn worse(first: &Diagnosis, other: &Diagnosis, percent: f64) -> Option<String> {
    let streams = |diagnosis: &Diagnosis| diagnosis.kind != DiagnosisKind::NotStreaming;
    if !streams(other) {
        return streams(first).then(|| "the answer does not stream any more".to_owned());
    }
    let now = other.collapse()?;
    // What held without a collapse is known to hold that many.
    let before = first.collapse().unwrap_or_else(|| first.streams_held());
    let least = before as f64 * (1.0 - percent / 100.0);
    (streams(first) && (now as f64) < least).then(|| {
        let was = if first.collapse().is_some() { "collapse at" } else { "no collapse up to" };
        format!("collapse at {} streams, and {was} {} before", count(now), count(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{NamedRun, RegressionVerdict};
    use crate::result::{Outcome, samples};

    /// Runs that found these, in order.
    fn compared(diagnoses: &[Diagnosis]) -> Comparison {
        let run = |diagnosis: &Diagnosis| {
            let mut result = samples::run(diagnosis.clone());
            let is_good = diagnosis.kind == DiagnosisKind::NoneFound;
            result.verdict.result = if is_good { Outcome::Held } else { Outcome::NotHeld };
            NamedRun { name: diagnosis.kind.as_str().to_owned(), result }
        };
        Comparison::of(diagnoses.iter().map(run).collect()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_server_that_collapses_with_fewer_streams_is_worse() {
        let pool = |streams| Diagnosis { streams_at_collapse: Some(streams), ..samples::full_pool() };
        let worse = |first: Diagnosis, other: Diagnosis| {
            let found = compared(&[first, other]).worse_diagnoses(10.0).unwrap_or_default();
            found.into_iter().map(|(_, what)| what).collect::<Vec<_>>()
        };
        assert_eq!(worse(pool(40), pool(36)), [""; 0]);
        assert_eq!(worse(pool(40), pool(35)), ["collapse at 35 streams, and collapse at 40 before"]);
        assert_eq!(worse(pool(40), samples::none_found()), [""; 0]);
        assert_eq!(
            worse(samples::none_found(), pool(40)),
            ["collapse at 40 streams, and no collapse up to 256 before"]
        );
        assert_eq!(worse(pool(40), samples::compressed()), ["the answer does not stream any more"]);
        assert_eq!(worse(samples::compressed(), pool(40)), [""; 0]);
    }

    #[test]
    fn figures_under_different_loads_are_not_compared() {
        let comparison = compared(&[samples::none_found(), samples::full_pool()]);
        assert!(comparison.arms.is_empty() && comparison.diagnoses().is_some());
        let RegressionVerdict::Found(found) = comparison.regressions(10.0) else { panic!("it is worse") };
        assert!(found.iter().any(|worse| worse.what.starts_with("collapse at 40 streams")), "{found:?}");
        assert_eq!(compared(&[samples::full_pool(), samples::none_found()]).regressions(10.0), RegressionVerdict::None);
    }
}
