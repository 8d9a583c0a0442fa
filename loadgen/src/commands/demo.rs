use super::CommandError;
use super::lab::{options, run_and_show};
use crate::cli::DemoArgs;
use crate::labs::DEMO;
use crate::report::Terminal;

/// The lab of the demo in a longer profile, with nothing else to choose.
pub(super) async fn execute(args: &DemoArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let (lab, longer) = DEMO;
    let profile = if args.fast { &lab.fast } else { longer };
    let options = options("demo", args.side.sides(), args.fast, &args.programs)?;
    let finished = run_and_show(lab, profile, &options, terminal).await?;
    if let Some(path) = &args.out {
        super::single::write_out(&finished.result, path, terminal)?;
    }
    Ok(finished.result.verdict.exit_code())
}
