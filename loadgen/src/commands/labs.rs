use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::lab::{options, run_and_show};
use super::{CommandError, EXIT_INVALID};
use crate::cli::LabsArgs;
use crate::environment::environment;
use crate::lab::{Group, Lab};
use crate::labs::LABS;
use crate::report::{self, Paint, Terminal};
use crate::result::{Environment, Outcome, RunResult, SCHEMA_VERSION, Side, Verdict};

pub(super) async fn execute(args: &LabsArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    if !args.all {
        list(terminal, args.fast);
        return Ok(0);
    }
    let mut runs = Vec::new();
    for lab in LABS {
        let options = options("lab", Side::ALL.to_vec(), args.fast, &args.programs)?;
        // A lab that cannot be run says nothing of the next one.
        let run = run_and_show(lab, lab.profile(args.fast), &options, terminal).await;
        runs.push((*lab, run.map(|finished| finished.result).map_err(|error| error.to_string())));
        terminal.line("");
    }
    let outcome = summary(terminal, &runs);
    if let Some(path) = &args.out {
        write_out(runs, outcome, path, terminal)?;
    }
    Ok(match outcome {
        Outcome::Held => 0,
        Outcome::NotHeld => 1,
        Outcome::Invalid => EXIT_INVALID,
    })
}

type Run = (&'static Lab, Result<RunResult, String>);

/// All labs by group, with the time that each takes.
fn list(terminal: &Terminal, fast: bool) {
    for group in Group::ALL {
        terminal.line(terminal.paint(Paint::Bold, group.as_str()));
        for lab in LABS.iter().filter(|lab| lab.group == group) {
            let seconds = lab.profile(fast).takes().as_secs_f64().ceil();
            terminal.line(report::wrap(&format!("  {:<20} {seconds:>3} s  ", lab.name), lab.mistake));
        }
    }
    terminal.line("");
    terminal.line("  loadgen lab NAME runs one, loadgen labs --all runs all of them");
}

/// Prints a line a lab, and gives the worst of their outcomes: one claim that is not so is a finding,
/// also where another lab proves nothing.
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

/// How many claims held; of a run that proves nothing, why.
fn remark(result: &RunResult) -> String {
    let claims = &result.verdict.claims;
    let held = claims.iter().filter(|claim| claim.held).count();
    match result.verdict.invalid_because.first() {
        Some(why) => why.clone(),
        None => format!("{held} of {} claims", claims.len()),
    }
}

/// All labs in one file.
#[derive(Serialize)]
struct Combined {
    schema_version: u32,
    command: &'static str,
    environment: Environment,
    labs: BTreeMap<&'static str, RunResult>,
    /// The worst of theirs, and why a lab could not be run.
    verdict: Verdict,
}

fn write_out(runs: Vec<Run>, result: Outcome, path: &Path, terminal: &Terminal) -> Result<(), CommandError> {
    let mut combined = Combined {
        schema_version: SCHEMA_VERSION,
        command: "labs",
        environment: environment(),
        labs: BTreeMap::new(),
        verdict: Verdict { result, ..Verdict::open() },
    };
    for (lab, run) in runs {
        match run {
            Ok(result) => drop(combined.labs.insert(lab.name, result)),
            Err(why) => combined.verdict.invalid_because.push(format!("{}: {why}", lab.name)),
        }
    }
    super::single::write_out(&combined, path, terminal)
}
