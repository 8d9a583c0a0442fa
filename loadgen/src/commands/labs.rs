//! `loadgen labs`

mod run_all;

use std::collections::BTreeMap;

use serde_json::json;

use super::lab::options;
use super::labs_stage::LabsStage;
use super::{CommandError, EXIT_INVALID, invocation, outputs};
use crate::cli::LabsArgs;
use crate::environment::environment;
use crate::lab::{Group, Lab};
use crate::labs;
use crate::report::{self, Paint, Terminal};
use crate::result::{LabsResult, Outcome, SCHEMA_VERSION, Side, Verdict};
use run_all::{Run, rerun_busy, run_all};

pub(super) async fn execute(args: &LabsArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let of_group = |lab: &&'static Lab| args.group.is_none_or(|group| lab.group == group);
    let chosen: Vec<&'static Lab> = labs::all().iter().filter(of_group).collect();
    let labs = if args.all { &chosen } else { &args.names };
    if labs.is_empty() {
        if let Some(flag) = args.outputs.first_flag() {
            return Err(CommandError::Usage(format!("{flag} needs labs to run: name some, or use --all")));
        }
        list(terminal, &chosen, args.fast);
        return Ok(0);
    }
    let options = options("lab", Side::ALL.to_vec(), args.fast, &args.programs)?;
    let stage = LabsStage::open("labs", labs, !args.display.plain, terminal);
    let mut runs = run_all(labs.clone(), args.jobs.into(), &options, stage.as_ref(), terminal).await;
    rerun_busy(&mut runs, &options, stage.as_ref(), terminal).await;
    drop(stage);
    let retry = retry_command(&runs, args.fast);
    let all = all_labs(args, runs);
    report::labs_summary(terminal, &all);
    if let Some(command) = retry {
        terminal.line("");
        terminal.line(report::wrap("  Run again: ", &command));
    }
    outputs::write_as(&all, || report::labs_page(&all), &args.outputs, terminal)?;
    Ok(match all.verdict.result {
        Outcome::Held => 0,
        Outcome::NotHeld => 1,
        Outcome::Invalid => EXIT_INVALID,
    })
}

/// These labs by group, with the time that each takes.
fn list(terminal: &Terminal, labs: &[&Lab], fast: bool) {
    for group in Group::ALL {
        let of_group: Vec<_> = labs.iter().filter(|lab| lab.group == group).collect();
        if !of_group.is_empty() {
            terminal.line(terminal.paint(Paint::Bold, group.as_str()));
        }
        for lab in of_group {
            let seconds = lab.profile(fast).takes().as_secs_f64().ceil();
            terminal.line(report::wrap(&format!("  {:<25} {seconds:>3} s  ", lab.name), lab.mistake));
        }
    }
    terminal.line("");
    let how = "loadgen lab NAME runs one, loadgen labs NAME... several, loadgen labs --all all";
    terminal.line(report::wrap("  ", how));
    terminal.line("  --group GROUP: of one group only");
}

/// The command that runs the labs again that did not hold, if there are any.
fn retry_command(runs: &[Run], fast: bool) -> Option<String> {
    let held = |run: &Run| run.1.as_ref().is_ok_and(|result| result.verdict.result == Outcome::Held);
    let remaining: Vec<_> = runs.iter().filter(|run| !held(run)).map(|(lab, _)| lab.name).collect();
    let fast = if fast { " FAST=1" } else { "" };
    (!remaining.is_empty()).then(|| format!("make labs NAMES=\"{}\"{fast}", remaining.join(" ")))
}

/// The worst outcome: not held is worse than invalid, because a failed claim is a finding.
fn worst(runs: &[Run]) -> Outcome {
    let outcome = |run: &Run| run.1.as_ref().map_or(Outcome::Invalid, |result| result.verdict.result);
    let any = |wanted| runs.iter().any(|run| outcome(run) == wanted);
    [Outcome::NotHeld, Outcome::Invalid].into_iter().find(|bad| any(*bad)).unwrap_or(Outcome::Held)
}

/// The results of all labs, and why the others could not be run.
fn all_labs(args: &LabsArgs, runs: Vec<Run>) -> LabsResult {
    let names: Vec<_> = runs.iter().map(|(lab, _)| lab.name).collect();
    let parameters = [("names", json!(names)), ("fast", args.fast.into()), ("jobs", args.jobs.into())];
    let mut all = LabsResult {
        schema_version: SCHEMA_VERSION,
        command: "labs".to_owned(),
        command_line: Some(invocation::command_line()),
        environment: environment(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
        labs: BTreeMap::new(),
        not_run: BTreeMap::new(),
        verdict: Verdict { result: worst(&runs), ..Verdict::open() },
    };
    for (lab, run) in runs {
        match run {
            Ok(result) => drop(all.labs.insert(lab.name.to_owned(), result)),
            Err(why) => {
                all.verdict.invalid_because.push(format!("{}: {why}", lab.name));
                all.not_run.insert(lab.name.to_owned(), why);
            }
        }
    }
    all
}
