//! `loadgen report`

use std::path::Path;

use super::{CommandError, EXIT_INVALID, invocation, outputs};
use crate::chart;
use crate::cli::{Outputs, ReportArgs};
use crate::comparison::{Comparison, NamedRun, RegressionVerdict};
use crate::merge::merge;
use crate::report::{self, Terminal};
use crate::result::{LabsResult, ResultFile, RunResult, read};

/// Exit code if a figure is worse than it may be.
const EXIT_WORSE: u8 = 1;

/// Shows one result again, or compares or merges several.
pub(super) fn execute(args: &ReportArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    if args.picture.is_some() && args.files.len() > 1 && !args.merge {
        return Err(CommandError::Usage("--picture is of one run: name one file, or add them with --merge".into()));
    }
    if args.merge && args.files.len() < 2 {
        return Err(CommandError::Usage("--merge needs at least two files, one of each machine".into()));
    }
    let mut results = args.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    if args.merge {
        return merged(args, named_runs(args, results)?, terminal);
    }
    if results.len() > 1 {
        return several(args, named_runs(args, results)?, terminal);
    }
    if args.fail_on_regression.is_some() {
        let why = "--fail-on-regression needs at least two files: the first is the reference";
        return Err(CommandError::Usage(why.into()));
    }
    match results.pop() {
        Some(ResultFile::Run(run)) => one_run(args, &run, terminal)?,
        Some(ResultFile::Labs(labs)) => labs_of(args, &labs, terminal)?,
        None => {}
    }
    Ok(0)
}

fn one_run(args: &ReportArgs, result: &RunResult, terminal: &Terminal) -> Result<(), CommandError> {
    if let Some(path) = &args.picture {
        let picture = chart::picture(result, args.scheme.into());
        outputs::write_picture(
            &picture.ok_or_else(|| no_picture(args, "it has no timeline, and no streams were held"))?,
            path,
            terminal,
        )?;
    }
    match &args.html {
        None if args.picture.is_some() => Ok(()),
        Some(path) => outputs::write_page(&report::page(result), path, terminal),
        None => {
            report::replay(terminal, result);
            Ok(())
        }
    }
}

fn labs_of(args: &ReportArgs, labs: &LabsResult, terminal: &Terminal) -> Result<(), CommandError> {
    if args.picture.is_some() {
        return Err(no_picture(args, "it holds several labs: write one with `lab NAME --out`"));
    }
    match &args.html {
        Some(path) => outputs::write_page(&report::labs_page(labs), path, terminal),
        None => {
            report::replay_labs(terminal, labs);
            Ok(())
        }
    }
}

fn no_picture(args: &ReportArgs, why: &str) -> CommandError {
    let file = args.files.first().map_or(Path::new(""), |file| file);
    CommandError::Usage(format!("--picture: there is no picture of {}: {why}", file.display()))
}

/// The runs of these files, of which none may hold several labs.
fn named_runs(args: &ReportArgs, results: Vec<ResultFile>) -> Result<Vec<NamedRun>, CommandError> {
    let named = |(result, file): (ResultFile, &std::path::PathBuf)| match result {
        ResultFile::Run(run) => Ok(NamedRun { name: file.display().to_string(), result: *run }),
        ResultFile::Labs(_) => {
            let why = "it holds several labs, and only single runs can be compared or merged: write one with `lab NAME --out`";
            Err(CommandError::Usage(format!("{}: {why}", file.display())))
        }
    };
    results.into_iter().zip(&args.files).map(named).collect()
}

/// The runs of several machines as one, with the exit code of one.
fn merged(args: &ReportArgs, runs: Vec<NamedRun>, terminal: &Terminal) -> Result<u8, CommandError> {
    let merged = merge(runs)?;
    let merged = RunResult { command_line: Some(invocation::command_line()), ..merged };
    report::one_server(terminal, &merged);
    let files = Outputs { out: args.out.clone(), html: args.html.clone() };
    let written = outputs::write(&merged, &files, terminal);
    if let Some(path) = &args.picture {
        let picture = chart::picture(&merged, args.scheme.into());
        outputs::write_picture(&picture.ok_or_else(|| no_picture(args, "it has no timeline"))?, path, terminal)?;
    }
    written?;
    Ok(merged.verdict.exit_code())
}

fn several(args: &ReportArgs, runs: Vec<NamedRun>, terminal: &Terminal) -> Result<u8, CommandError> {
    let comparison = Comparison::of(runs)?;
    let verdict = args.fail_on_regression.map(|percent| (percent, comparison.regressions(percent)));
    if let Some((_, RegressionVerdict::NothingToCompare)) = verdict {
        let why = "these runs have neither an arm of the fix nor a server of their own, so there is nothing to judge";
        return Err(CommandError::Usage(format!("--fail-on-regression: {why}")));
    }
    report::compared(terminal, &comparison, args.fail_on_regression);
    if let Some((percent, verdict)) = &verdict {
        report::regressions(terminal, *percent, verdict);
    }
    if let Some(path) = &args.html {
        outputs::write_page(&report::comparison_page(&comparison, verdict.as_ref()), path, terminal)?;
    }
    Ok(match verdict.map(|(_, verdict)| verdict) {
        Some(RegressionVerdict::Invalid) => EXIT_INVALID,
        Some(RegressionVerdict::Found(_)) => EXIT_WORSE,
        _ => 0,
    })
}
