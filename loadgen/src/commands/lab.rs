//! `loadgen lab`, and the output of all commands that run a lab.

use super::{CommandError, CommandOutcome, conclusion, invocation, outputs};
use crate::cli::{LabArgs, Programs, Sides};
use crate::engine::{self, LabRun, Options, RunningArm};
use crate::lab::{Lab, Profile, select_arms};
use crate::report::{self, LiveLines, Paint, Terminal};
use crate::result::Side;

pub(super) async fn execute(args: &LabArgs, terminal: &Terminal) -> Result<CommandOutcome, CommandError> {
    if args.expect_fixed && args.side == Sides::Fixed {
        return Err(CommandError::Usage(
            "--expect-fixed runs broken-server and cannot be combined with --side fixed".into(),
        ));
    }
    if args.mistake.is_some() && args.side == Sides::Fixed {
        return Err(CommandError::Usage(
            "--mistake is for broken-server and cannot be combined with --side fixed".into(),
        ));
    }
    let options = Options {
        expect_fixed: args.expect_fixed,
        mistake: args.mistake.clone(),
        ..options("lab", args.side.sides(), args.fast, &args.programs)?
    };
    let terminal = &terminal.quiet(args.quiet);
    let finished = run_and_show(args.lab, args.lab.profile(args.fast), &options, terminal).await?;
    outputs::write(&finished.result, &args.outputs, terminal)?;
    let exit_code = finished.result.verdict.exit_code();
    if !args.keep {
        return Ok(exit_code.into());
    }
    print_addresses(terminal, &finished.arms);
    Ok(CommandOutcome { exit_code, kept: finished.arms })
}

/// The options of a lab that `command` runs.
pub(super) fn options(
    command: &str,
    sides: Vec<Side>,
    fast: bool,
    programs: &Programs,
) -> Result<Options, CommandError> {
    Ok(Options {
        sides,
        expect_fixed: false,
        mistake: None,
        fast,
        program_dir: programs.dir().map_err(CommandError::ProgramDir)?,
        start_timeout: programs.start_timeout,
        command: command.to_owned(),
    })
}

/// Runs a lab and prints an introduction, a line per second, the figures, the verdict, and where to read
/// more. A quiet terminal gets the figures and the verdict.
pub(super) async fn run_and_show(
    lab: &'static Lab,
    profile: &'static Profile,
    options: &Options,
    terminal: &Terminal,
) -> Result<LabRun, CommandError> {
    let aside = &terminal.aside();
    let finished = run_with_lines(lab, profile, options, aside).await?;
    report::lab(terminal, &finished.result);
    let verdict = &finished.result.verdict;
    let sentences = conclusion::sentences(lab, options, verdict);
    if !sentences.is_empty() {
        terminal.line("");
    }
    for sentence in sentences {
        terminal.line(report::wrap("  ", &sentence));
    }
    print_references(aside, lab, options);
    Ok(finished)
}

/// Runs a lab and prints an introduction and a line per second.
pub(super) async fn run_with_lines(
    lab: &'static Lab,
    profile: &'static Profile,
    options: &Options,
    terminal: &Terminal,
) -> Result<LabRun, CommandError> {
    print_introduction(terminal, lab, profile, options);
    let live = terminal.live();
    let mut finished = engine::run(lab, profile, options, &mut LiveLines::new(&live)).await?;
    finished.result.command_line = Some(invocation::command_line());
    live.line("");
    Ok(finished)
}

fn print_introduction(terminal: &Terminal, lab: &Lab, profile: &'static Profile, options: &Options) {
    let phases = options.phases(profile, &select_arms(profile, &options.sides, options.expect_fixed));
    let seconds = phases.iter().map(|phase| phase.takes()).sum::<std::time::Duration>().as_secs();
    let bold = |text: &str| terminal.paint(Paint::Bold, text);
    terminal.line(format!("{}, about {seconds} s", bold(lab.name)));
    if let Some(mistake) = &options.mistake {
        terminal.line(report::wrap("  broken: ", &format!("--mistake {mistake}, instead of the lab's own")));
    } else if options.sides.contains(&Side::Broken) {
        terminal.line(report::wrap("  broken: ", lab.mistake));
    }
    if options.sides.contains(&Side::Fixed) {
        terminal.line(report::wrap("  fixed:  ", lab.fix));
    }
    if options.expect_fixed {
        terminal.line(report::wrap("  judged: ", "broken-server, by the claims of the fix"));
    }
    terminal.line("");
}

pub(super) fn print_references(terminal: &Terminal, lab: &Lab, options: &Options) {
    terminal.line("");
    if options.sides.contains(&Side::Broken) {
        terminal.line(format!("  The mistake: {}", lab.mistake_file()));
    }
    terminal.line(format!("  The fix:     {}", lab.fix_file));
    if options.sides.contains(&Side::Broken) {
        terminal.line(format!("  Your repair: compare with {}", lab.repair_file));
    }
    terminal.line(report::wrap("  Not shown:   ", lab.proves_not));
}

fn print_addresses(terminal: &Terminal, arms: &[RunningArm]) {
    terminal.line("");
    terminal.line("  Running until Ctrl-C:");
    for arm in arms {
        let vendor = arm.vendor_url().unwrap_or_else(|| "none".to_owned());
        terminal.line(format!("  {:<12} {}  its vendor {vendor}", arm.name, arm.server_url()));
    }
}
