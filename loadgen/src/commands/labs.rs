//! `loadgen labs`

mod run_all;

use std::collections::BTreeMap;

use serde_json::json;

use super::lab::options;
use super::{CommandError, EXIT_INVALID};
use crate::cli::LabsArgs;
use crate::environment::environment;
use crate::lab::{Group, Lab};
use crate::labs;
use crate::report::{self, Paint, Terminal};
use crate::result::{LabsResult, Outcome, RunResult, SCHEMA_VERSION, Side, Verdict};
use run_all::{Run, rerun_busy, run_all};

pub(super) async fn execute(args: &LabsArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let labs: Vec<&'static Lab> = if args.all { labs::all().iter().collect() } else { args.names.clone() };
    if labs.is_empty() {
        if args.out.is_some() {
            return Err(CommandError::Usage("--out needs labs to run: name some, or use --all".into()));
        }
        list(terminal, args.fast);
        return Ok(0);
    }
    let options = options("lab", Side::ALL.to_vec(), args.fast, &args.programs)?;
    let mut runs = run_all(labs, args.jobs.into(), &options, terminal).await;
    rerun_busy(&mut runs, &options, terminal).await;
    let outcome = summary(terminal, &runs);
    print_retry_command(terminal, &runs, args.fast);
    if let Some(path) = &args.out {
        super::observation::write_out(&all_labs(args, runs, outcome), path, terminal)?;
    }
    Ok(match outcome {
        Outcome::Held => 0,
        Outcome::NotHeld => 1,
        Outcome::Invalid => EXIT_INVALID,
    })
}

/// All labs by group, with the time that each takes.
fn list(terminal: &Terminal, fast: bool) {
    for group in Group::ALL {
        terminal.line(terminal.paint(Paint::Bold, group.as_str()));
        for lab in labs::all().iter().filter(|lab| lab.group == group) {
            let seconds = lab.profile(fast).takes().as_secs_f64().ceil();
            terminal.line(report::wrap(&format!("  {:<20} {seconds:>3} s  ", lab.name), lab.mistake));
        }
    }
    terminal.line("");
    let how = "loadgen lab NAME runs one, loadgen labs NAME... several, loadgen labs --all all";
    terminal.line(report::wrap("  ", how));
}

/// Prints a line per lab and returns the worst outcome: not held is worse than invalid, because a failed
/// claim is a finding.
fn summary(terminal: &Terminal, runs: &[Run]) -> Outcome {
    terminal.line(terminal.paint(Paint::Bold, "All labs"));
    let mut outcome = Outcome::Held;
    for (lab, run) in runs {
        let (of_lab, remark) = match run {
            Ok(result) => (result.verdict.result, remark(result)),
            Err(why) => (Outcome::Invalid, why.clone()),
        };
        let paint = match of_lab {
            Outcome::Held => Paint::Green,
            Outcome::NotHeld => Paint::Red,
            Outcome::Invalid => Paint::Yellow,
        };
        let word = terminal.paint(paint, &format!("{:<8}", of_lab.as_str()));
        terminal.line(format!("  {:<20} {word}  {remark}", lab.name).trim_end());
        outcome = match (outcome, of_lab) {
            (Outcome::NotHeld, _) | (_, Outcome::NotHeld) => Outcome::NotHeld,
            (Outcome::Invalid, _) | (_, Outcome::Invalid) => Outcome::Invalid,
            _ => Outcome::Held,
        };
    }
    outcome
}

/// Prints the command that runs the labs again that did not hold.
fn print_retry_command(terminal: &Terminal, runs: &[Run], fast: bool) {
    let held = |run: &Run| run.1.as_ref().is_ok_and(|result| result.verdict.result == Outcome::Held);
    let remaining: Vec<_> = runs.iter().filter(|run| !held(run)).map(|(lab, _)| lab.name).collect();
    if !remaining.is_empty() {
        let fast = if fast { " FAST=1" } else { "" };
        terminal.line("");
        terminal.line(report::wrap("  Run again: ", &format!("make labs NAMES=\"{}\"{fast}", remaining.join(" "))));
    }
}

/// How many claims held, or why the run is invalid.
fn remark(result: &RunResult) -> String {
    let claims = &result.verdict.claims;
    let held = claims.iter().filter(|claim| claim.held).count();
    match result.verdict.invalid_because.first() {
        Some(why) => why.clone(),
        None => format!("{held} of {} claims", claims.len()),
    }
}

/// The results of all labs, and why the others could not be run.
fn all_labs(args: &LabsArgs, runs: Vec<Run>, result: Outcome) -> LabsResult {
    let names: Vec<_> = runs.iter().map(|(lab, _)| lab.name).collect();
    let parameters = [("names", json!(names)), ("fast", args.fast.into()), ("jobs", args.jobs.into())];
    let mut all = LabsResult {
        schema_version: SCHEMA_VERSION,
        command: "labs".to_owned(),
        environment: environment(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
        labs: BTreeMap::new(),
        not_run: BTreeMap::new(),
        verdict: Verdict { result, ..Verdict::open() },
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
