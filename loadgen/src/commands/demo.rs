use crate::cli::{DemoArgs, Side};
use crate::lab::{self, Lab, Options, Profile};
use crate::labs;
use crate::report::{self, LiveLines, Paint, Terminal};
use crate::result::ArmName;
use crate::stand;

use super::CommandError;

pub(super) async fn execute(args: &DemoArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let lab = labs::DEMO;
    let sides = match args.side {
        Side::Broken => vec![ArmName::Broken],
        Side::Fixed => vec![ArmName::Fixed],
        Side::Both => vec![ArmName::Broken, ArmName::Control, ArmName::Fixed],
    };
    let profile = lab.profile(args.fast);
    introduce(terminal, lab, profile, &sides);
    let program_dir = stand::program_dir(args.program_dir.as_deref()).map_err(CommandError::ProgramDir)?;
    let options = Options { sides, program_dir, command: "demo".into(), fast: args.fast };
    let result = lab::run(lab, &options, &mut LiveLines::new(terminal)).await?;

    terminal.line("");
    report::comparison(terminal, profile.phases, &result);
    terminal.line("");
    report::verdict(terminal, &result.verdict);
    read_on(terminal, lab, &options.sides);
    if let Some(path) = &args.out {
        super::single::write_out(&result, path, terminal)?;
    }
    Ok(result.verdict.exit_code())
}

fn introduce(terminal: &Terminal, lab: &Lab, profile: &Profile, sides: &[ArmName]) {
    let phases = profile.phases.iter().filter(|phase| phase.only.is_none_or(|only| sides.contains(&only)));
    let seconds = phases.map(|phase| phase.ramp + phase.hold).sum::<std::time::Duration>().as_secs();
    let bold = |text: &str| terminal.paint(Paint::Bold, text);
    terminal.line(format!("{}, about {seconds} s", bold(lab.name)));
    if sides.contains(&ArmName::Broken) {
        terminal.line(report::wrap("  broken: ", lab.mistake));
    }
    if sides.contains(&ArmName::Fixed) {
        terminal.line(report::wrap("  fixed:  ", lab.fix));
    }
    terminal.line("  open: streams open; sync, async: health latency (>3 s: still waiting)");
    terminal.line("");
}

fn read_on(terminal: &Terminal, lab: &Lab, sides: &[ArmName]) {
    terminal.line("");
    if sides.contains(&ArmName::Broken) {
        terminal.line(format!("  The mistake: {}", lab.mistake_file));
    }
    terminal.line(format!("  The fix:     {}", lab.fix_file));
    terminal.line(report::wrap("  Not proved:  ", lab.proves_not));
}
