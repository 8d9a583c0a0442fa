//! Runs several labs: those that judge times alone, the others beside each other.

use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::commands::lab::{Place, run_and_show};
use crate::commands::labs_stage::LabsStage;
use crate::dashboard::LabState;
use crate::engine::Options;
use crate::lab::Lab;
use crate::numbers::approximately;
use crate::report::{self, Paint, Terminal};
use crate::result::RunResult;
use crate::verdict;

/// A lab and its result, or why it could not be run.
pub(super) type Run = (&'static Lab, Result<RunResult, String>);

/// Runs the labs that judge times one after another, then the others, `jobs` at a time. Returns them in the order given.
pub(super) async fn run_all(
    labs: Vec<&'static Lab>,
    jobs: usize,
    options: &Options,
    stage: Option<&LabsStage>,
    terminal: &Terminal,
) -> Vec<Run> {
    let (alone, together) = plan(&labs, jobs, options.fast);
    let seconds = |labs: &[&Lab]| labs.iter().map(|lab| lab.profile(options.fast).takes() + START).sum::<Duration>();
    let estimate = seconds(&alone) + seconds(&together) / u32::try_from(jobs.min(together.len().max(1))).unwrap_or(1);
    let (count, estimate) = (labs.len(), approximately(estimate));
    terminal.line(terminal.paint(Paint::Dim, &format!("{count} labs, {estimate}")));
    let mut runs = Vec::new();
    for lab in alone {
        runs.push((lab, run(lab, options, stage, terminal).await));
        terminal.line("");
    }
    if let [first, rest @ ..] = &together[..] {
        let names = rest.iter().fold(first.name.to_owned(), |names, lab| names + ", " + lab.name);
        terminal.line(report::wrap("", &format!("Running {names}, {jobs} at a time: they judge counts, not times")));
        terminal.line("");
    }
    let aside = |lab: &'static Lab| async move {
        let kept = terminal.keeping();
        let found = run(lab, options, stage, &kept).await;
        kept.release(terminal);
        terminal.line("");
        (lab, found)
    };
    runs.extend(stream::iter(together).map(aside).buffer_unordered(jobs).collect::<Vec<_>>().await);
    let place = |lab: &Lab| labs.iter().position(|candidate| candidate.name == lab.name);
    runs.sort_by_key(|(lab, _)| place(lab));
    runs
}

/// The labs that run alone, and those that run beside each other.
fn plan(labs: &[&'static Lab], jobs: usize, fast: bool) -> (Vec<&'static Lab>, Vec<&'static Lab>) {
    let is_alone = |lab: &&'static Lab| jobs == 1 || lab.profile(fast).judges_times();
    let (mut alone, mut together): (Vec<_>, Vec<_>) = labs.iter().copied().partition(is_alone);
    if together.len() == 1 {
        alone.append(&mut together);
    }
    (alone, together)
}

/// About how long the programs of a lab take to start and to stop.
const START: Duration = Duration::from_secs(2);

/// Runs a lab. If it cannot be run, the next ones still are.
async fn run(
    lab: &'static Lab,
    options: &Options,
    stage: Option<&LabsStage>,
    terminal: &Terminal,
) -> Result<RunResult, String> {
    let run = run_and_show(lab, lab.profile(options.fast), options, Place::Among(stage), terminal).await;
    let ended = run.as_ref().map_or(LabState::Failed, |run| LabState::Judged(run.result.verdict.result));
    stage.into_iter().for_each(|stage| stage.set(lab, ended.clone()));
    run.map(|finished| finished.result).map_err(|error| error.to_string())
}

/// Runs the labs again that are invalid because the machine was busy, after all others and alone.
pub(super) async fn rerun_busy(runs: &mut [Run], options: &Options, stage: Option<&LabsStage>, terminal: &Terminal) {
    let busy = |run: &&mut Run| run.1.as_ref().is_ok_and(|result| verdict::was_busy(&result.verdict));
    for (lab, found) in runs.iter_mut().filter(busy) {
        terminal.line(report::wrap("  ", &format!("Running {} again, because the machine was busy", lab.name)));
        *found = run(lab, options, stage, terminal).await;
        terminal.line("");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn labs_that_judge_times_run_alone() {
        let all: Vec<_> = labs::all().iter().collect();
        let names = |labs: &[&Lab]| labs.iter().map(|lab| lab.name).collect::<Vec<_>>();
        let (alone, together) = plan(&all, 3, true);
        assert_eq!(alone.len() + together.len(), all.len());
        assert!(names(&alone).contains(&"pool-exhaustion"), "{:?}", names(&alone));
        assert!(together.iter().all(|lab| lab.fast.claims.iter().all(|claim| !claim.figure.is_latency())));
        assert_eq!(plan(&all, 1, true).0.len(), all.len(), "one at a time");
        assert!(plan(&all[..1], 3, true).1.is_empty(), "one lab has no neighbours");
    }
}
