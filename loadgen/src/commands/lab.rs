//! `loadgen lab`, and the output of all commands that run a lab.

use super::lab_view::LabView;
use super::labs_stage::LabsStage;
use super::{CommandError, CommandOutcome, conclusion, invocation, outputs};
use crate::cli::{LabArgs, Programs, Sides};
use crate::engine::{self, LabRun, Options, RunningArm};
use crate::lab::{Lab, Phase, Profile, select_arms};
use crate::labs;
use crate::report::{self, Paint, Terminal};
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
        database_url: database_url(args)?,
        ..options("lab", args.side.sides(), args.fast, &args.programs)?
    };
    let terminal = &terminal.quiet(args.quiet);
    let wants_dashboard = !args.display.plain && !args.quiet;
    let place = Place::Own { title: format!("lab {}", args.lab.name), wants_dashboard };
    let finished = run_and_show(args.lab, args.lab.profile(args.fast), &options, place, terminal).await?;
    outputs::write(&finished.result, &args.outputs, terminal)?;
    let exit_code = finished.result.verdict.exit_code();
    if !args.keep {
        return Ok(exit_code.into());
    }
    print_addresses(terminal, &finished.arms);
    Ok(CommandOutcome { exit_code, kept: finished.arms })
}

/// The database of the servers, if one is named. An error does not repeat it: it may have a password.
fn database_url(args: &LabArgs) -> Result<Option<String>, CommandError> {
    let Some(url) = &args.database_url else { return Ok(None) };
    if !args.lab.profile(args.fast).needs_database {
        let with: Vec<_> = labs::all().iter().filter(|lab| lab.normal.needs_database).map(|lab| lab.name).collect();
        let (with, name) = (with.join(", "), args.lab.name);
        return Err(CommandError::Usage(format!(
            "--database-url is for labs about databases ({with}), not for {name}"
        )));
    }
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        let expected = "postgres://USER:PASSWORD@HOST/NAME; without it, each server has SQLite in its memory";
        return Err(CommandError::Usage(format!("--database-url: expected {expected}")));
    }
    Ok(Some(url.clone()))
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
        database_url: None,
        program_dir: programs.dir().map_err(CommandError::ProgramDir)?,
        start_timeout: programs.start_timeout,
        command: command.to_owned(),
    })
}

/// Where a lab is shown while it runs.
#[derive(Clone)]
pub(super) enum Place<'a> {
    /// On a screen of its own, if a dashboard is wanted.
    Own { title: String, wants_dashboard: bool },
    /// With other labs, on their screen if they have one.
    Among(Option<&'a LabsStage>),
}

/// Runs a lab and prints an introduction, what happens unless a dashboard shows it, the figures, the verdict, and where
/// to read more. A quiet terminal gets the figures and the verdict.
pub(super) async fn run_and_show(
    lab: &'static Lab,
    profile: &'static Profile,
    options: &Options,
    place: Place<'_>,
    terminal: &Terminal,
) -> Result<LabRun, CommandError> {
    let aside = &terminal.aside();
    let finished = run_in_view(lab, profile, options, place, aside).await?;
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

/// Runs a lab, prints an introduction, and shows what happens: on a dashboard, or as a line per second.
pub(super) async fn run_in_view(
    lab: &'static Lab,
    profile: &'static Profile,
    options: &Options,
    place: Place<'_>,
    terminal: &Terminal,
) -> Result<LabRun, CommandError> {
    let phases = options.phases(profile, &select_arms(profile, &options.sides, options.expect_fixed));
    print_introduction(terminal, lab, &phases, options);
    let live = terminal.live();
    // Given back as soon as the run is over, also where it fails.
    let own;
    let stage = match place {
        Place::Own { title, wants_dashboard } => {
            own = LabsStage::open(&title, &[lab], wants_dashboard, terminal);
            own.as_ref()
        }
        Place::Among(labs) => labs,
    };
    let mut view = LabView::new(lab, phases, stage, &live);
    let mut finished = engine::run(lab, profile, options, &mut view).await?;
    finished.result.command_line = Some(invocation::command_line());
    view.end();
    Ok(finished)
}

fn print_introduction(terminal: &Terminal, lab: &Lab, phases: &[&Phase], options: &Options) {
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
    if options.database_url.is_some() {
        terminal.line("  data:   PostgreSQL, the same for all servers");
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
