//! `loadgen demo`

use super::lab::{Place, options, print_references, run_in_view};
use super::{CommandError, interactive, outputs};
use crate::cli::DemoArgs;
use crate::labs;
use crate::report::{self, Terminal};

/// Runs the lab of the demo with its own profile.
pub(super) async fn execute(args: &DemoArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    if args.interactive {
        return interactive::execute(args, terminal).await;
    }
    let (lab, longer) = labs::demo();
    let profile = if args.fast { &lab.fast } else { longer };
    let options = options("demo", args.side.sides(), args.fast, &args.programs)?;
    let place = Place::Own { title: "demo".to_owned(), wants_dashboard: !args.display.plain };
    let finished = run_in_view(lab, profile, &options, place, terminal).await?;
    report::verdict(terminal, &finished.result.verdict);
    print_references(terminal, lab, &options);
    // Whatever becomes of the files, the figures are shown.
    let written = outputs::write(&finished.result, &args.outputs, terminal);
    terminal.line("");
    report::comparison(terminal, &finished.result);
    terminal.line("");
    terminal.line(report::wrap("  ", &report::prose_summary(&finished.result)));
    written?;
    Ok(finished.result.verdict.exit_code())
}
